// Convolutions in groups of one channel (depthwise), two or four, and as many filters.
//
// In a depthwise convolution nothing is summed over channels, so a vector holds neighbouring
// channels of one pixel, and taps are packed as [tap][channel]: the inner loop is
//   sums[pixel][vector] += x[pixel + tap][vector] * taps[tap][vector]
// for a block of pixels of one row by up to four vectors, which stay in registers for the whole
// sum. A tap is loaded once for the block's pixels, an image's number once for each of its taps.
//
// With g channels in a group a lane's filter meets the g channels of its group, which are lanes of
// the same vector: taps are packed as [tap][l][channel], and x's vector is multiplied g times, its
// lanes moved so that each has channel l of its group.
//
//   g = 4:   x              a b c d | e f g h | ...        l = 1:   b b b b | f f f f | ...
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
// registers while the rows of one image go by; a number of dy is loaded once for them.
//
// Arithmetic: 2 KH KW FLOP for each number of y, and 8 bytes: 18 FLOP for 3x3, so that images that
// the cache does not hold are bound by memory.
//
// Measured: docs/results/operations.md.
#include "kernels/conv2d/grouped.h"

#include <algorithm>
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

/// Distance between the taps of packed filters: the channels, filled up to whole vectors of any
/// processor.
inline int64_t step_of(const SmallGroups& conv) {
  constexpr int64_t kMostLanes = 16;
  return (conv.C + kMostLanes - 1) / kMostLanes * kMostLanes;
}

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
constexpr int kSums = kLanes == 16 ? 16 : 8;
constexpr int kMostPixels = 8;

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

/// What a block of channels of one image is convolved with.
template <bool kPart>
struct ChannelBlock {
  Lanes<kPart> lanes;
  int64_t c;                     ///< the first channel
  int64_t C, x_row, w_step, KW;  ///< distances of pixels, of rows of x, of taps
  const float* w;
  GroupEpilogue epilogue;
};

/// Channel l of every lane's group, from a vector of x. Lanes' places are told once.
template <int kGroup>
struct GroupLanes {
  static_assert(kLanes == 1 || kLanes % 4 == 0, "a group is in one vector, or a lane is alone");
  using Indices = decltype(hn::SetTableIndices(kFloats, static_cast<const int32_t*>(nullptr)));
  Indices of[kGroup];

  HWY_INLINE GroupLanes() {
    for (int l = 0; l < kGroup; ++l) {
      int32_t places[kLanes];
      for (int lane = 0; lane < kLanes; ++lane)
        places[lane] = kLanes == 1 ? 0 : lane / kGroup * kGroup + l;
      of[l] = hn::SetTableIndices(kFloats, places);
    }
  }
  /// `x` points to channel c of a pixel, and to those behind it.
  template <bool kPart>
  HWY_INLINE Vector channel(int l, const float* x, int64_t c, const Lanes<kPart>& lanes) const {
    if constexpr (kLanes == 1) return lanes.load(x - c % kGroup + l);
    return hn::TableLookupLanes(lanes.load(x), of[l]);
  }
};
template <>
struct GroupLanes<1> {
  template <bool kPart>
  HWY_INLINE Vector channel(int, const float* x, int64_t, const Lanes<kPart>& lanes) const {
    return lanes.load(x);
  }
};

/// Computes kPixels pixels, y_step apart, whose windows lie x_step apart.
template <int kGroup, int kPixels, int kVectors, bool kPart>
HWY_INLINE void convolve_pixels(float* y, const float* x, const float* residual, int64_t y_step,
                                int64_t x_step, const std::vector<GroupTap>& rows,
                                const std::vector<GroupTap>& columns,
                                const ChannelBlock<kPart>& block) {
  Vector sums[kPixels][kVectors];
  for (int p = 0; p < kPixels; ++p)
    for (int v = 0; v < kVectors; ++v) sums[p][v] = hn::Zero(kFloats);
  const GroupLanes<kGroup> group;
  for (const GroupTap& row : rows) {
    const float* x_row = x + row.at * block.x_row;
    const float* w_row = block.w + row.k * block.KW * kGroup * block.w_step;
    for (const GroupTap& column : columns) {
      const float* from = x_row + column.at * block.C;
      const float* tap = w_row + column.k * kGroup * block.w_step;
      for (int l = 0; l < kGroup; ++l, tap += block.w_step) {
        Vector taps[kVectors];
        for (int v = 0; v < kVectors; ++v) taps[v] = hn::LoadU(kFloats, tap + v * kLanes);
        for (int p = 0; p < kPixels; ++p)
          for (int v = 0; v < kVectors; ++v)
            sums[p][v] = hn::MulAdd(
                group.channel(l, from + p * x_step + v * kLanes, block.c + v * kLanes, block.lanes),
                taps[v], sums[p][v]);
      }
    }
  }
  const float infinity = std::numeric_limits<float>::infinity();
  const Vector lowest = hn::Set(kFloats, block.epilogue.relu ? 0.0F : -infinity);
  for (int v = 0; v < kVectors; ++v) {
    const Vector bias = block.epilogue.bias ? block.lanes.load(block.epilogue.bias + v * kLanes)
                                            : hn::Zero(kFloats);
    for (int p = 0; p < kPixels; ++p) {
      const int64_t at = p * y_step + v * kLanes;
      Vector value = hn::Add(sums[p][v], bias);
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
  const int64_t y_step = run.step * block.C, x_step = run.from_step * block.C;
  for (; done + kPixels <= run.count; done += kPixels)
    convolve_pixels<kGroup, kPixels, kVectors, kPart>(y + done * y_step, x + done * x_step,
                                                      residual ? residual + done * y_step : nullptr,
                                                      y_step, x_step, rows, run.taps, block);
  if constexpr (kPixels > 1)
    convolve_run<kGroup, kPixels / 2, kVectors, kPart>(done, y, x, residual, rows, run, block);
}

/// Computes one image for a block of channels.
template <int kGroup, int kVectors, bool kPart>
void convolve_channels(float* y, const float* x, const SmallGroups& conv,
                       const ChannelBlock<kPart>& block) {
  constexpr int kPixels = kSums / kVectors < kMostPixels ? kSums / kVectors : kMostPixels;
  for (const GroupRun& rows : conv.rows)
    for (int64_t i = 0; i < rows.count; ++i) {
      const int64_t out = (rows.first + i * rows.step) * conv.columns_out * conv.C;
      const float* from = x + (rows.from + i * rows.from_step) * block.x_row;
      const float* residual = block.epilogue.residual;
      for (const GroupRun& columns : conv.columns) {
        const int64_t at = out + columns.first * conv.C;
        convolve_run<kGroup, kPixels, kVectors, kPart>(0, y + at, from + columns.from * conv.C,
                                                       residual ? residual + at : nullptr,
                                                       rows.taps, columns, block);
      }
    }
}

/// Computes one image for channels [c, c + kVectors vectors), or the last few.
template <int kGroup, int kVectors, bool kPart>
HWY_INLINE void convolve_block(int64_t c, float* y, const float* x, const float* w,
                               const GroupEpilogue& epilogue, const SmallGroups& conv) {
  ChannelBlock<kPart> block{.lanes = {conv.C - c},
                            .c = c,
                            .C = conv.C,
                            .x_row = conv.columns_in * conv.C,
                            .w_step = step_of(conv),
                            .KW = conv.KW,
                            .w = w + c,
                            .epilogue = epilogue};
  if (block.epilogue.bias) block.epilogue.bias += c;
  if (block.epilogue.residual) block.epilogue.residual += c;
  convolve_channels<kGroup, kVectors, kPart>(y + c, x + c, conv, block);
}

/// Computes one image.
template <int kGroup>
void convolve_all(float* y, const float* x, const float* w, const GroupEpilogue& epilogue,
                  const SmallGroups& conv) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= conv.C; c += 4 * kLanes)
    convolve_block<kGroup, 4, false>(c, y, x, w, epilogue, conv);
  for (; c + 2 * kLanes <= conv.C; c += 2 * kLanes)
    convolve_block<kGroup, 2, false>(c, y, x, w, epilogue, conv);
  for (; c + kLanes <= conv.C; c += kLanes)
    convolve_block<kGroup, 1, false>(c, y, x, w, epilogue, conv);
  if (c < conv.C) convolve_block<kGroup, 1, true>(c, y, x, w, epilogue, conv);
}
void convolve_image(float* y, const float* x, const float* w, const GroupEpilogue& epilogue,
                    const SmallGroups& conv) {
  if (conv.group == 1) return convolve_all<1>(y, x, w, epilogue, conv);
  if (conv.group == 2) return convolve_all<2>(y, x, w, epilogue, conv);
  convolve_all<4>(y, x, w, epilogue, conv);
}

/// Adds to the sums of kTaps taps of row `k` of the filters: the products of one run of columns.
template <int kTaps, int kVectors, bool kPart>
HWY_INLINE void add_products(float* sums, int64_t sums_step, const float* dy, const float* x,
                             const SmallGroups& conv, int64_t k, const GroupRun& columns,
                             size_t first_tap, Lanes<kPart> lanes) {
  const int64_t C = conv.C, y_step = columns.step * C, x_step = columns.from_step * C;
  Vector own[kTaps][kVectors];
  for (int t = 0; t < kTaps; ++t)
    for (int v = 0; v < kVectors; ++v) own[t][v] = hn::Zero(kFloats);
  int64_t at[kTaps];
  for (int t = 0; t < kTaps; ++t) at[t] = columns.taps[first_tap + static_cast<size_t>(t)].at * C;
  for (const GroupRun& rows : conv.rows)
    for (const GroupTap& row : rows.taps) {
      if (row.k != k) continue;
      for (int64_t i = 0; i < rows.count; ++i) {
        const float* dy_row =
            dy + ((rows.first + i * rows.step) * conv.columns_out + columns.first) * C;
        const float* x_row =
            x + ((rows.from + i * rows.from_step + row.at) * conv.columns_in + columns.from) * C;
        for (int64_t p = 0; p < columns.count; ++p) {
          Vector gradient[kVectors];
          for (int v = 0; v < kVectors; ++v)
            gradient[v] = lanes.load(dy_row + p * y_step + v * kLanes);
          for (int t = 0; t < kTaps; ++t)
            for (int v = 0; v < kVectors; ++v)
              own[t][v] = hn::MulAdd(lanes.load(x_row + p * x_step + at[t] + v * kLanes),
                                     gradient[v], own[t][v]);
        }
      }
    }
  for (int t = 0; t < kTaps; ++t) {
    float* to = sums + columns.taps[first_tap + static_cast<size_t>(t)].k * sums_step;
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(hn::Add(own[t][v], hn::LoadU(kFloats, to + v * kLanes)), kFloats, to + v * kLanes);
  }
}

/// Adds one image's products for channels [c, c + kVectors vectors), or the last few.
template <int kVectors, bool kPart>
void add_image(int64_t c, float* sums, const float* dy, const float* x, const SmallGroups& conv) {
  const int64_t step = step_of(conv);
  const Lanes<kPart> lanes{conv.C - c};
  for (int64_t k = 0; k < conv.KH; ++k)
    for (const GroupRun& columns : conv.columns) {
      float* row = sums + k * conv.KW * step + c;
      const auto add = [&](auto taps, size_t first) HWY_ATTR {
        add_products<decltype(taps)::value, kVectors, kPart>(row, step, dy + c, x + c, conv, k,
                                                             columns, first, lanes);
      };
      const size_t count = columns.taps.size();
      size_t t = 0;
      constexpr int kMost = kSums / kVectors < 4 ? kSums / kVectors : 4;
      for (; t + kMost <= count; t += kMost) add(std::integral_constant<int, kMost>(), t);
      if constexpr (kMost > 3)
        for (; t + 3 <= count; t += 3) add(std::integral_constant<int, 3>(), t);
      if constexpr (kMost > 2)
        for (; t + 2 <= count; t += 2) add(std::integral_constant<int, 2>(), t);
      for (; t < count; ++t) add(std::integral_constant<int, 1>(), t);
    }
}

/// Adds one image's products to the sums [tap][channel].
void add_gradient(float* sums, const float* dy, const float* x, const SmallGroups& conv) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= conv.C; c += 4 * kLanes) add_image<4, false>(c, sums, dy, x, conv);
  for (; c + 2 * kLanes <= conv.C; c += 2 * kLanes) add_image<2, false>(c, sums, dy, x, conv);
  for (; c + kLanes <= conv.C; c += kLanes) add_image<1, false>(c, sums, dy, x, conv);
  if (c < conv.C) add_image<1, true>(c, sums, dy, x, conv);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(convolve_image);
HWY_EXPORT(add_gradient);

namespace {

/// One axis of a convolution.
struct Axis {
  int64_t in, out, kernel, stride, padding, dilation;
};

/// Cuts the positions below `extent` into runs with the same taps: position p has the taps of
/// taps_of(p), whose places are absolute and move by `from_step` from one position to that `step`
/// further.
template <class TapsOf>
std::vector<GroupRun> runs_of(int64_t extent, int64_t step, int64_t from_step,
                              const TapsOf& taps_of) {
  std::vector<GroupRun> runs;
  for (int64_t first = 0; first < std::min(step, extent); ++first) {
    bool begun = false;
    for (int64_t p = first; p < extent; p += step) {
      std::vector<GroupTap> taps = taps_of(p);
      const auto same = [](const GroupTap& a, const GroupTap& b) { return a.k == b.k; };
      const bool goes_on = begun && std::equal(taps.begin(), taps.end(), runs.back().taps.begin(),
                                               runs.back().taps.end(), same);
      if (goes_on) {
        ++runs.back().count;
        continue;
      }
      begun = true;
      const int64_t from = taps.empty() ? 0 : taps[0].at;
      for (GroupTap& tap : taps) tap.at -= from;
      runs.push_back({p, step, 1, from, from_step, std::move(taps)});
    }
  }
  return runs;
}

std::vector<GroupRun> forward_runs(const Axis& a) {
  return runs_of(a.out, 1, a.stride, [&](int64_t o) {
    std::vector<GroupTap> taps;
    for (int64_t k = 0; k < a.kernel; ++k) {
      const int64_t at = o * a.stride + k * a.dilation - a.padding;
      if (at >= 0 && at < a.in) taps.push_back({k, at});
    }
    return taps;
  });
}

std::vector<GroupRun> backward_runs(const Axis& a) {
  return runs_of(a.in, a.stride, 1, [&](int64_t i) {
    std::vector<GroupTap> taps;
    for (int64_t k = 0; k < a.kernel; ++k) {
      const int64_t at = i + a.padding - k * a.dilation;
      if (at >= 0 && at % a.stride == 0 && at / a.stride < a.out)
        taps.push_back({k, at / a.stride});
    }
    return taps;
  });
}

struct Axes {
  Axis rows, columns;
};
Axes axes_of(const Shape& x, const Shape& w, const ConvGeometry& g) {
  const Shape y = g.output(x, w);
  return {{x[1], y[1], w[1], g.stride.h, g.padding.h, g.dilation.h},
          {x[2], y[2], w[2], g.stride.w, g.padding.w, g.dilation.w}};
}

SmallGroups small_groups(const Shape& x, const Shape& w, const ConvGeometry& geometry,
                         bool backward) {
  const auto [rows, columns] = axes_of(x, w, geometry);
  const auto runs = backward ? backward_runs : forward_runs;
  SmallGroups conv{.N = x[0],
                   .C = x[3],
                   .group = w[3],
                   .KH = w[1],
                   .KW = w[2],
                   .rows_in = rows.in,
                   .columns_in = columns.in,
                   .rows_out = rows.out,
                   .columns_out = columns.out,
                   .rows = runs(rows),
                   .columns = runs(columns),
                   .backward = backward};
  if (backward) {
    std::swap(conv.rows_in, conv.rows_out);
    std::swap(conv.columns_in, conv.columns_out);
  }
  return conv;
}

}  // namespace

bool small_groups_fit(const Shape& x, const Shape& w, DType dtype, const ConvGeometry& geometry) {
  return dtype == DType::f32 && geometry.groups > 1 && x[3] == w[0] && w.size() > 0 &&
         (w[3] == 1 || w[3] == 2 || w[3] == 4);
}

SmallGroups small_groups_forward(const Shape& x, const Shape& w, const ConvGeometry& geometry) {
  return small_groups(x, w, geometry, /*backward=*/false);
}

SmallGroups small_groups_backward(const Shape& x, const Shape& w, const ConvGeometry& geometry) {
  return small_groups(x, w, geometry, /*backward=*/true);
}

int64_t small_groups_packed_size(const SmallGroups& conv) {
  return conv.KH * conv.KW * conv.group * step_of(conv);
}

void small_groups_pack(float* packed, const float* w, const SmallGroups& conv) {
  const int64_t taps = conv.KH * conv.KW, step = step_of(conv), g = conv.group;
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t l = 0; l < g; ++l, packed += step) {
      for (int64_t c = 0; c < conv.C; ++c) {
        const int64_t first = c / g * g;
        const int64_t filter = conv.backward ? first + l : c;
        packed[c] = w[(filter * taps + t) * g + (conv.backward ? c - first : l)];
      }
      std::fill(packed + conv.C, packed + step, 0.0F);
    }
}

void small_groups_convolve(float* y, const float* x, const float* packed,
                           const GroupEpilogue& epilogue, const SmallGroups& conv) {
  const int64_t x_image = conv.rows_in * conv.columns_in * conv.C;
  const int64_t y_image = conv.rows_out * conv.columns_out * conv.C;
  for (int64_t n = 0; n < conv.N; ++n) {
    GroupEpilogue here = epilogue;
    if (here.residual) here.residual += n * y_image;
    HWY_DYNAMIC_DISPATCH(convolve_image)(y + n * y_image, x + n * x_image, packed, here, conv);
  }
}

void depthwise_filter_gradient(float* dw, const float* dy, const float* x, bool accumulate,
                               const SmallGroups& conv, float* scratch) {
  const int64_t taps = conv.KH * conv.KW, step = step_of(conv);
  std::fill_n(scratch, taps * step, 0.0F);
  const int64_t x_image = conv.rows_in * conv.columns_in * conv.C;
  const int64_t y_image = conv.rows_out * conv.columns_out * conv.C;
  for (int64_t n = 0; n < conv.N; ++n)
    HWY_DYNAMIC_DISPATCH(add_gradient)(scratch, dy + n * y_image, x + n * x_image, conv);
  for (int64_t c = 0; c < conv.C; ++c)
    for (int64_t t = 0; t < taps; ++t) {
      float& to = dw[c * taps + t];
      to = accumulate ? to + scratch[t * step + c] : scratch[t * step + c];
    }
}

}  // namespace topograd
#endif  // HWY_ONCE
