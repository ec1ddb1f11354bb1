// Convolutions in groups of one channel (depthwise), two, four or eight, and as many filters.
//
// In a depthwise convolution nothing is summed over channels, so a vector holds neighbouring
// channels of one pixel, and taps are packed with channels side by side: the inner loop is
//   sums[pixel][vector] += x[pixel + tap][vector] * taps[tap][vector]
// for a block of pixels of one row by up to four vectors, which stay in registers for the whole
// sum. A tap is loaded once for the block's pixels, an image's number once for each of its taps.
//
// With g channels in a group, g^2 weights of a tap join a group's numbers of x to its sums. They
// are taken by diagonals: diagonal r has the weights from channel l of a group to its filter l - r,
// modulo g, so that it meets x's vector as it lies, and is added up on its own. No lane moves until
// the end, when diagonal r's sums are rotated by r within their groups and all are added.
//
//   g = 4:   x             a b c d | e f g h | ...
//            diagonal 1    products for filters 3 0 1 2 | 3 0 1 2 | ..., rotated to 0 1 2 3 once
//
// Moving lanes of x instead costs an instruction beside each multiply-add, on a unit that Intel's
// processors need for the multiply-adds of AVX-512. Where a group is a vector or more, a number of
// x is the same for all lanes and is broadcast by its load.
//
// Borders: which taps of a filter meet the image depends on the row and on the column alone. So the
// rows are cut into runs with the same taps, and so are the columns; a run of columns is what a
// block of pixels may be taken from. An image whose middle has all KW taps has up to KW - 1 runs of
// single columns beside it, and nothing is copied into a border or tested while it is summed.
//
//   3 taps, padding 1:   | 0 | 1  2  3  4  5  6 | 7 |      columns
//                         1,2      0, 1, 2        0,1      their taps
//
// The gradient of the input is the same sum with other runs: with a stride s, columns that are s
// apart have the same taps, and read neighbouring columns of dy. Dilation only changes where taps
// lie.
//
// The gradient of a filter sums over pixels: up to four taps of a row by up to four vectors stay in
// registers while the rows of one image go by; a number of dy is loaded once for them. In groups
// the products are taken by diagonals too: it is dy whose lanes are rotated, once for all taps of a
// row.
//
// Arithmetic: 2 g KH KW FLOP for each number of y, and 8 bytes: 18 FLOP for depthwise 3x3, so that
// images that the cache does not hold are bound by memory. Loads, of 3x3 in groups of 8 with
// AVX-512: 8 weights and 3 numbers of x for 24 multiply-adds; two loads fit beside two
// multiply-adds.
//
// Measured: docs/results/operations.md.
#include "kernels/conv2d/grouped.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

// Arrays of vectors, below, need vectors of a known size.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/grouped.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

#ifndef TOPOGRAD_SMALL_GROUPS
#define TOPOGRAD_SMALL_GROUPS
namespace topograd {

/// Channels that lie side by side in packed filters: a vector of the widest processor.
constexpr int64_t kPackedChannels = 16;

/// Returns where the weights of channel c begin in packed filters [16 channels][tap][diagonal or
/// channel of the group][channel]: those of a block of channels lie in one piece, which no other
/// distance, as the number of channels is, could put into few sets of the cache.
inline int64_t packed_place(int64_t c, const SmallGroups& conv) {
  return c / kPackedChannels * kPackedChannels * conv.KH * conv.KW * conv.group +
         c % kPackedChannels;
}

/// One image's share of a convolution.
struct GroupImage {
  float* y;
  const float* x;
  GroupEpilogue epilogue;
  float* scratch;  ///< for a block of x's channels; null where it is not to be copied
};

/// One image's share of the filters' gradient.
struct GradientImage {
  const float *dy, *x;
  float* scratch;  ///< for a block of x's channels and one of dy's; null: they are not copied
};

}  // namespace topograd
#endif  // TOPOGRAD_SMALL_GROUPS

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kFloats));
// Sums in registers at a time: AVX-512 has 32 registers, others 16.
constexpr int kSums = kLanes == 16 ? 24 : 8;
constexpr int kMostPixels = 8;

/// Whether groups of kGroup channels are summed by diagonals; else x's numbers are broadcast.
template <int kGroup>
constexpr bool kByDiagonals = kGroup > 1 && kGroup < kLanes;
/// Sums of one vector of y that go side by side.
template <int kGroup>
constexpr int kDiagonals = kByDiagonals<kGroup> ? kGroup : 1;
/// Vectors of channels side by side, so that even a single pixel's sums hide a multiply-add's
/// latency.
template <int kGroup>
constexpr int kMostVectors = kGroup <= 2                           ? 4
                             : kGroup == 4 && kByDiagonals<kGroup> ? 2
                                                                   : 1;

bool by_diagonals(int64_t group) {
  return group > 1 && group < kLanes;
}

/// Numbers of a channel block that are there: all of its vectors', or with kPart the first few of
/// its only one.
template <bool kPart>
struct Lanes {
  int64_t count;

  HWY_INLINE Vector load(const float* from) const {
    if constexpr (!kPart) return hn::LoadU(kFloats, from);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    return hn::MaskedLoad(hn::FirstN(kFloats, static_cast<size_t>(count)), kFloats, from);
#else
    alignas(64) float lanes[kLanes] = {};
    std::copy_n(from, count, lanes);
    return hn::Load(kFloats, lanes);
#endif
  }
  HWY_INLINE void store(Vector value, float* to) const {
    if constexpr (!kPart) return hn::StoreU(value, kFloats, to);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    hn::BlendedStore(value, hn::FirstN(kFloats, static_cast<size_t>(count)), kFloats, to);
#else
    alignas(64) float lanes[kLanes];
    hn::Store(value, kFloats, lanes);
    std::copy_n(lanes, count, to);
#endif
  }
};

/// Returns where the weights of each vector of a block from channel c on begin.
template <int kVectors, class Float>
HWY_INLINE std::array<Float*, 4> packed_vectors(Float* packed, int64_t c, const SmallGroups& conv) {
  std::array<Float*, 4> at{};
  for (int v = 0; v < kVectors; ++v)
    at[static_cast<size_t>(v)] = packed + packed_place(c + v * kLanes, conv);
  return at;
}

/// What a block of channels of one image is convolved with.
template <bool kPart>
struct ChannelBlock {
  Lanes<kPart> lanes;
  int64_t c;                   ///< the first channel
  int64_t y_pixel;             ///< distance of y's pixels
  int64_t x_pixel, x_row, KW;  ///< distances of x's pixels and rows
  std::array<const float*, 4> w;
  GroupEpilogue epilogue;
};

/// Copies a block of an image's channels from c on to where its pixels are neighbours, so that a
/// row of them does not fall into few sets of the cache, as it does where channels are a power of
/// two.
template <int kVectors, bool kPart>
void copy_channels(float* to, const float* image, int64_t pixels, int64_t C, Lanes<kPart> lanes) {
  for (int64_t p = 0; p < pixels; ++p, image += C, to += kVectors * kLanes)
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(lanes.load(image + v * kLanes), kFloats, to + v * kLanes);
}

/// Rotations within the groups: lane l of a group becomes what lane l + r, modulo kGroup, was.
template <int kGroup>
struct GroupRotations {
  using Indices = decltype(hn::SetTableIndices(kFloats, static_cast<const int32_t*>(nullptr)));
  Indices by[kGroup];

  /// `sign` -1: the rotations the other way round.
  HWY_INLINE explicit GroupRotations(int sign = 1) {
    for (int r = 0; r < kGroup; ++r) {
      int32_t places[kLanes];
      for (int lane = 0; lane < kLanes; ++lane)
        places[lane] = lane / kGroup * kGroup + (lane + kGroup + sign * r) % kGroup;
      by[r] = hn::SetTableIndices(kFloats, places);
    }
  }
  HWY_INLINE Vector rotated(Vector v, int r) const { return hn::TableLookupLanes(v, by[r]); }
};

/// Loads channel l of the group in which vector v of the channels from c on lies; `x` points to
/// channel c.
template <int kGroup>
HWY_INLINE Vector broadcast_channel(const float* x, int64_t c, int v, int l) {
  const int64_t channel = c + v * kLanes;
  return hn::Set(kFloats, x[channel / kGroup * kGroup - c + l]);
}

/// Adds the products of one tap to kPixels pixels' sums. `from` points to the first pixel's number
/// under it; its weights begin at `tap` within each vector's.
template <int kGroup, int kPixels, int kVectors, bool kPart>
HWY_INLINE void add_tap(Vector (&sums)[kPixels][kVectors][kDiagonals<kGroup>], const float* from,
                        int64_t x_step, int64_t tap, const ChannelBlock<kPart>& block) {
  if constexpr (kGroup == 1 || kByDiagonals<kGroup>) {
    for (int v = 0; v < kVectors; ++v) {
      Vector x[kPixels];
      for (int p = 0; p < kPixels; ++p) x[p] = block.lanes.load(from + p * x_step + v * kLanes);
      for (int r = 0; r < kGroup; ++r) {
        const Vector weights =
            hn::LoadU(kFloats, block.w[static_cast<size_t>(v)] + tap + r * kPackedChannels);
        for (int p = 0; p < kPixels; ++p) sums[p][v][r] = hn::MulAdd(x[p], weights, sums[p][v][r]);
      }
    }
  } else {
    for (int l = 0; l < kGroup; ++l)
      for (int v = 0; v < kVectors; ++v) {
        const Vector weights =
            hn::LoadU(kFloats, block.w[static_cast<size_t>(v)] + tap + l * kPackedChannels);
        for (int p = 0; p < kPixels; ++p)
          sums[p][v][0] = hn::MulAdd(broadcast_channel<kGroup>(from + p * x_step, block.c, v, l),
                                     weights, sums[p][v][0]);
      }
  }
}

/// Computes kPixels pixels, y_step apart, whose windows lie x_step apart.
template <int kGroup, int kPixels, int kVectors, bool kPart>
HWY_INLINE void convolve_pixels(float* y, const float* x, const float* residual, int64_t y_step,
                                int64_t x_step, const std::vector<GroupTap>& rows,
                                const std::vector<GroupTap>& columns,
                                const ChannelBlock<kPart>& block) {
  Vector sums[kPixels][kVectors][kDiagonals<kGroup>];
  for (int p = 0; p < kPixels; ++p)
    for (int v = 0; v < kVectors; ++v)
      for (int r = 0; r < kDiagonals<kGroup>; ++r) sums[p][v][r] = hn::Zero(kFloats);
  for (const GroupTap& row : rows) {
    const float* x_row = x + row.at * block.x_row;
    for (const GroupTap& column : columns)
      add_tap<kGroup, kPixels, kVectors>(sums, x_row + column.at * block.x_pixel, x_step,
                                         (row.k * block.KW + column.k) * kGroup * kPackedChannels,
                                         block);
  }
  if constexpr (kByDiagonals<kGroup>) {
    const GroupRotations<kGroup> rotations;
    for (int p = 0; p < kPixels; ++p)
      for (int v = 0; v < kVectors; ++v)
        for (int r = 1; r < kGroup; ++r)
          sums[p][v][0] = hn::Add(sums[p][v][0], rotations.rotated(sums[p][v][r], r));
  }
  const float infinity = std::numeric_limits<float>::infinity();
  const Vector lowest = hn::Set(kFloats, block.epilogue.relu ? 0.0F : -infinity);
  for (int v = 0; v < kVectors; ++v) {
    const Vector bias = block.epilogue.bias ? block.lanes.load(block.epilogue.bias + v * kLanes)
                                            : hn::Zero(kFloats);
    for (int p = 0; p < kPixels; ++p) {
      const int64_t at = p * y_step + v * kLanes;
      Vector value = hn::Add(sums[p][v][0], bias);
      if (residual) value = hn::Add(value, block.lanes.load(residual + at));
      value = hn::IfThenElse(hn::Lt(value, lowest), lowest, value);  // NaN stays
      block.lanes.store(value, y + at);
    }
  }
}

/// Computes the pixels [done, count) of a run, in blocks of kPixels and then in smaller ones.
template <int kGroup, int kPixels, int kVectors, bool kPart>
HWY_INLINE void convolve_run(int64_t done, float* y, const float* x, const float* residual,
                             const std::vector<GroupTap>& rows, const GroupRun& run,
                             const ChannelBlock<kPart>& block) {
  const int64_t y_step = run.step * block.y_pixel, x_step = run.from_step * block.x_pixel;
  for (; done + kPixels <= run.count; done += kPixels)
    convolve_pixels<kGroup, kPixels, kVectors, kPart>(y + done * y_step, x + done * x_step,
                                                      residual ? residual + done * y_step : nullptr,
                                                      y_step, x_step, rows, run.taps, block);
  constexpr int kFewer = kPixels > 4 ? 4 : kPixels > 2 ? 2 : 1;
  if constexpr (kPixels > 1)
    convolve_run<kGroup, kFewer, kVectors, kPart>(done, y, x, residual, rows, run, block);
}

/// Computes one image for a block of channels.
template <int kGroup, int kVectors, bool kPart>
void convolve_channels(float* y, const float* x, const SmallGroups& conv,
                       const ChannelBlock<kPart>& block) {
  constexpr int kFit = kSums / (kVectors * kDiagonals<kGroup>);
  constexpr int kPixels = kFit < 1 ? 1 : kFit < kMostPixels ? kFit : kMostPixels;
  for (const GroupRun& rows : conv.rows)
    for (int64_t i = 0; i < rows.count; ++i) {
      const int64_t out = (rows.first + i * rows.step) * conv.columns_out * conv.C;
      const float* from = x + (rows.from + i * rows.from_step) * block.x_row;
      const float* residual = block.epilogue.residual;
      for (const GroupRun& columns : conv.columns) {
        const int64_t at = out + columns.first * conv.C;
        convolve_run<kGroup, kPixels, kVectors, kPart>(
            0, y + at, from + columns.from * block.x_pixel, residual ? residual + at : nullptr,
            rows.taps, columns, block);
      }
    }
}

/// Whether blocks of channels of groups are copied: groups lie in them whole.
template <int kGroup>
constexpr bool kCopies = kGroup > 1 && kGroup <= kLanes;

/// Computes one image for channels [c, c + kVectors vectors), or the last few.
template <int kGroup, int kVectors, bool kPart>
HWY_INLINE void convolve_block(int64_t c, const GroupImage& image, const float* w,
                               const SmallGroups& conv) {
  ChannelBlock<kPart> block{.lanes = {conv.C - c},
                            .c = c,
                            .y_pixel = conv.C,
                            .x_pixel = conv.C,
                            .x_row = conv.columns_in * conv.C,
                            .KW = conv.KW,
                            .w = packed_vectors<kVectors>(w, c, conv),
                            .epilogue = image.epilogue};
  if (block.epilogue.bias) block.epilogue.bias += c;
  if (block.epilogue.residual) block.epilogue.residual += c;
  const float* x = image.x + c;
  if (kCopies<kGroup> && image.scratch) {
    copy_channels<kVectors>(image.scratch, x, conv.rows_in * conv.columns_in, conv.C, block.lanes);
    x = image.scratch;
    block.x_pixel = kVectors * kLanes;
    block.x_row = conv.columns_in * block.x_pixel;
  }
  convolve_channels<kGroup, kVectors, kPart>(image.y + c, x, conv, block);
}

/// Computes one image.
template <int kGroup>
void convolve_all(const GroupImage& image, const float* w, const SmallGroups& conv) {
  int64_t c = 0;
  if constexpr (kMostVectors<kGroup> >= 4)
    for (; c + 4 * kLanes <= conv.C; c += 4 * kLanes)
      convolve_block<kGroup, 4, false>(c, image, w, conv);
  if constexpr (kMostVectors<kGroup> >= 2)
    for (; c + 2 * kLanes <= conv.C; c += 2 * kLanes)
      convolve_block<kGroup, 2, false>(c, image, w, conv);
  for (; c + kLanes <= conv.C; c += kLanes) convolve_block<kGroup, 1, false>(c, image, w, conv);
  if (c < conv.C) convolve_block<kGroup, 1, true>(c, image, w, conv);
}
void convolve_image(const GroupImage& image, const float* w, const SmallGroups& conv) {
  if (conv.group == 1) return convolve_all<1>(image, w, conv);
  if (conv.group == 2) return convolve_all<2>(image, w, conv);
  if (conv.group == 4) return convolve_all<4>(image, w, conv);
  convolve_all<8>(image, w, conv);
}

/// What a block of channels of one image gives for the filters' gradient.
template <bool kPart>
struct GradientBlock {
  Lanes<kPart> lanes;
  int64_t c;                 ///< the first channel
  const float *dy, *x;       ///< of that channel
  int64_t y_pixel, x_pixel;  ///< distances of their pixels
  std::array<float*, 4> sums;
};

/// Adds to the sums of kTaps taps of row `k` of the filters: the products of one run of columns.
template <int kGroup, int kTaps, int kVectors, bool kPart>
HWY_INLINE void add_products(const GradientBlock<kPart>& block, const SmallGroups& conv, int64_t k,
                             const GroupRun& columns, size_t first_tap) {
  const int64_t y_step = columns.step * block.y_pixel, x_step = columns.from_step * block.x_pixel;
  Vector own[kTaps][kVectors][kGroup];
  for (int t = 0; t < kTaps; ++t)
    for (int v = 0; v < kVectors; ++v)
      for (int r = 0; r < kGroup; ++r) own[t][v][r] = hn::Zero(kFloats);
  const GroupRotations<kByDiagonals<kGroup> ? kGroup : 1> rotations(-1);
  int64_t at[kTaps];
  for (int t = 0; t < kTaps; ++t)
    at[t] = columns.taps[first_tap + static_cast<size_t>(t)].at * block.x_pixel;
  for (const GroupRun& rows : conv.rows)
    for (const GroupTap& row : rows.taps) {
      if (row.k != k) continue;
      for (int64_t i = 0; i < rows.count; ++i) {
        const int64_t y_row = (rows.first + i * rows.step) * conv.columns_out;
        const int64_t x_row = (rows.from + i * rows.from_step + row.at) * conv.columns_in;
        const float* dy = block.dy + (y_row + columns.first) * block.y_pixel;
        const float* x = block.x + (x_row + columns.from) * block.x_pixel;
        for (int64_t p = 0; p < columns.count; ++p, dy += y_step, x += x_step)
          for (int v = 0; v < kVectors; ++v) {
            const Vector gradient = block.lanes.load(dy + v * kLanes);
            if constexpr (kGroup == 1 || kByDiagonals<kGroup>) {
              Vector input[kTaps];
              for (int t = 0; t < kTaps; ++t) input[t] = block.lanes.load(x + at[t] + v * kLanes);
              for (int r = 0; r < kGroup; ++r) {
                const Vector g = r == 0 ? gradient : rotations.rotated(gradient, r);
                for (int t = 0; t < kTaps; ++t)
                  own[t][v][r] = hn::MulAdd(input[t], g, own[t][v][r]);
              }
            } else {
              for (int t = 0; t < kTaps; ++t)
                for (int l = 0; l < kGroup; ++l)
                  own[t][v][l] = hn::MulAdd(broadcast_channel<kGroup>(x + at[t], block.c, v, l),
                                            gradient, own[t][v][l]);
            }
          }
      }
    }
  for (int t = 0; t < kTaps; ++t) {
    const int64_t tap = k * conv.KW + columns.taps[first_tap + static_cast<size_t>(t)].k;
    for (int v = 0; v < kVectors; ++v)
      for (int r = 0; r < kGroup; ++r) {
        float* to = block.sums[static_cast<size_t>(v)] + (tap * kGroup + r) * kPackedChannels;
        hn::StoreU(hn::Add(own[t][v][r], hn::LoadU(kFloats, to)), kFloats, to);
      }
  }
}

/// Adds one image's products for channels [c, c + kVectors vectors), or the last few.
template <int kGroup, int kVectors, bool kPart>
void add_image(int64_t c, float* sums, const GradientImage& image, const SmallGroups& conv) {
  GradientBlock<kPart> block{.lanes = {conv.C - c},
                             .c = c,
                             .dy = image.dy + c,
                             .x = image.x + c,
                             .y_pixel = conv.C,
                             .x_pixel = conv.C,
                             .sums = packed_vectors<kVectors>(sums, c, conv)};
  if (kCopies<kGroup> && image.scratch) {
    const int64_t x_pixels = conv.rows_in * conv.columns_in;
    float* dy = image.scratch + x_pixels * kVectors * kLanes;
    copy_channels<kVectors>(image.scratch, block.x, x_pixels, conv.C, block.lanes);
    copy_channels<kVectors>(dy, block.dy, conv.rows_out * conv.columns_out, conv.C, block.lanes);
    block.x = image.scratch;
    block.dy = dy;
    block.x_pixel = block.y_pixel = kVectors * kLanes;
  }
  for (int64_t k = 0; k < conv.KH; ++k)
    for (const GroupRun& columns : conv.columns) {
      const auto add = [&](auto taps, size_t first) HWY_ATTR {
        add_products<kGroup, decltype(taps)::value, kVectors>(block, conv, k, columns, first);
      };
      const size_t count = columns.taps.size();
      size_t t = 0;
      constexpr int kFit = kSums / (kVectors * kGroup);
      constexpr int kMost = kFit < 1 ? 1 : kFit < 4 ? kFit : 4;
      for (; t + kMost <= count; t += kMost) add(std::integral_constant<int, kMost>(), t);
      if constexpr (kMost > 3)
        for (; t + 3 <= count; t += 3) add(std::integral_constant<int, 3>(), t);
      if constexpr (kMost > 2)
        for (; t + 2 <= count; t += 2) add(std::integral_constant<int, 2>(), t);
      for (; t < count; ++t) add(std::integral_constant<int, 1>(), t);
    }
}

/// Adds one image's products to the sums, which lie as packed filters do.
template <int kGroup>
void add_all(float* sums, const GradientImage& image, const SmallGroups& conv) {
  int64_t c = 0;
  if constexpr (kMostVectors<kGroup> >= 4)
    for (; c + 4 * kLanes <= conv.C; c += 4 * kLanes)
      add_image<kGroup, 4, false>(c, sums, image, conv);
  if constexpr (kMostVectors<kGroup> >= 2)
    for (; c + 2 * kLanes <= conv.C; c += 2 * kLanes)
      add_image<kGroup, 2, false>(c, sums, image, conv);
  for (; c + kLanes <= conv.C; c += kLanes) add_image<kGroup, 1, false>(c, sums, image, conv);
  if (c < conv.C) add_image<kGroup, 1, true>(c, sums, image, conv);
}
void add_gradient(float* sums, const GradientImage& image, const SmallGroups& conv) {
  if (conv.group == 1) return add_all<1>(sums, image, conv);
  if (conv.group == 2) return add_all<2>(sums, image, conv);
  if (conv.group == 4) return add_all<4>(sums, image, conv);
  add_all<8>(sums, image, conv);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(by_diagonals);
HWY_EXPORT(convolve_image);
HWY_EXPORT(add_gradient);

int64_t small_groups_packed_size(const SmallGroups& conv) {
  const int64_t blocks = (conv.C + kPackedChannels - 1) / kPackedChannels;
  return blocks * kPackedChannels * conv.KH * conv.KW * conv.group;
}

namespace {

/// A weight's filter, and the channel of its group that it is for.
struct WeightPlace {
  int64_t filter, channel;
};

/// Returns which weight stands at channel c of diagonal (or channel of the group) l. On the way
/// forward a filter's channels are x's, on the way back filters and channels change places.
WeightPlace weight_place(int64_t c, int64_t l, bool diagonals, const SmallGroups& conv) {
  const int64_t g = conv.group, first = c / g * g, own = c - first;
  const int64_t from = diagonals ? own : l, to = diagonals ? (own - l + g) % g : own;
  return conv.backward ? WeightPlace{first + from, to} : WeightPlace{first + to, from};
}

/// Calls f(place of a weight in w, its place in packed filters) for all weights.
template <class F>
void over_weights(const SmallGroups& conv, const F& f) {
  const int64_t taps = conv.KH * conv.KW, g = conv.group;
  const bool diagonals = HWY_DYNAMIC_DISPATCH(by_diagonals)(g);
  for (int64_t c = 0; c < conv.C; ++c)
    for (int64_t l = 0; l < g; ++l) {
      const WeightPlace place = weight_place(c, l, diagonals, conv);
      const int64_t from = place.filter * taps * g + place.channel;
      const int64_t to = packed_place(c, conv) + l * kPackedChannels;
      for (int64_t t = 0; t < taps; ++t) f(from + t * g, to + t * g * kPackedChannels);
    }
}

}  // namespace

void small_groups_pack(float* packed, const float* w, const SmallGroups& conv) {
  if (conv.C % kPackedChannels != 0) std::fill_n(packed, small_groups_packed_size(conv), 0.0F);
  over_weights(conv, [&](int64_t from, int64_t to) { packed[to] = w[from]; });
}

int64_t small_groups_scratch_size(const SmallGroups& conv) {
  if (conv.group == 1) return 0;
  constexpr int64_t kMost = 1 << 17;  // 512 KiB: a quarter of a second-level cache
  const int64_t channels = 4 * kPackedChannels * 2 / conv.group;  // of the widest block
  const int64_t pixels = conv.rows_in * conv.columns_in + conv.rows_out * conv.columns_out;
  return pixels * channels <= kMost ? pixels * channels : 0;
}

void small_groups_convolve(float* y, const float* x, const float* packed,
                           const GroupEpilogue& epilogue, const SmallGroups& conv, float* scratch) {
  const int64_t x_image = conv.rows_in * conv.columns_in * conv.C;
  const int64_t y_image = conv.rows_out * conv.columns_out * conv.C;
  const bool copies = small_groups_scratch_size(conv) > 0;
  for (int64_t n = 0; n < conv.N; ++n) {
    GroupImage image{y + n * y_image, x + n * x_image, epilogue, copies ? scratch : nullptr};
    if (image.epilogue.residual) image.epilogue.residual += n * y_image;
    HWY_DYNAMIC_DISPATCH(convolve_image)(image, packed, conv);
  }
}

void small_groups_filter_gradient(float* dw, const float* dy, const float* x, bool accumulate,
                                  const SmallGroups& conv, float* scratch) {
  float* sums = scratch;
  const int64_t size = small_groups_packed_size(conv);
  std::fill_n(sums, size, 0.0F);
  float* copies = small_groups_scratch_size(conv) > 0 ? scratch + size : nullptr;
  const int64_t x_image = conv.rows_in * conv.columns_in * conv.C;
  const int64_t y_image = conv.rows_out * conv.columns_out * conv.C;
  for (int64_t n = 0; n < conv.N; ++n) HWY_DYNAMIC_DISPATCH(add_gradient)
  (sums, GradientImage{dy + n * y_image, x + n * x_image, copies}, conv);
  over_weights(conv, [&](int64_t to, int64_t from) {
    dw[to] = accumulate ? dw[to] + sums[from] : sums[from];
  });
}

}  // namespace topograd
#endif  // HWY_ONCE
