// Any convolution in f32, summed directly in vector code: vectors run along the filters, and a
// block of pixels by one to three vectors of filters stays in registers for the whole sum.
//
// Where a pixel's window lies inside the image, one row of it is KW * I numbers in a row of memory,
// and so are the filters, packed as [block of filters][kh][kw * I + i][filter]: the inner loop is
//   sums[pixel] += x[pixel's window row + l] * filters[l]          l < KW * I
// With dilation, or groups, a row is KW pieces instead, of the I / G channels that a group has.
// Images with a border are copied into one first, so that every window is inside: a thousandth of
// the work. A 1x1 convolution of stride 1 takes the whole batch as one row of pixels.
#include <algorithm>
#include <limits>

#include "kernels/conv2d/packed_weights.h"
#include "kernels/fused_conv/fused_conv.h"

// Arrays of vectors, below, need vectors of a known size.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fused_conv/fused_conv_direct.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

#ifndef TOPOGRAD_DIRECT_CONV
#define TOPOGRAD_DIRECT_CONV
namespace topograd {

/// One convolution of N images for one network. A 1x1 convolution of stride 1 has one image of one
/// row.
struct DirectConv {
  int64_t N, H, W, I;  ///< x, with its border
  int64_t OH, OW, O;   ///< y
  int64_t KH, KW, groups;
  PerAxis stride, dilation;
  int64_t channels = 0, filters = 0;  ///< of one group
  int64_t pieces = 1, piece = 0;  ///< of a window's row, each in a row of memory; numbers in one

  int64_t taps() const { return KH * KW * channels; }  ///< numbers in a filter
};

/// Terms that are added to the sums, as WinogradEpilogue.
struct DirectEpilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  bool relu = false;
};

}  // namespace topograd
#endif  // TOPOGRAD_DIRECT_CONV

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kFloats));
// Sums in registers at a time: what AVX-512's 32 registers or others' 16 leave room for beside the
// filters' numbers. 12 pixels in place of 8 by two vectors were no faster.
constexpr int kSums = kLanes == 16 ? 24 : 12;
constexpr int kMostPixels = 8;

/// Vectors of filters in the next register block, of `vectors` that are left: two, and three where
/// one would be left over.
int64_t block_width(int64_t vectors) {
  return vectors % 2 == 0 ? 2 : std::min<int64_t>(vectors, 3);
}
int64_t vectors_of(int64_t filters) {
  return (filters + kLanes - 1) / kLanes;
}

/// Packs w [O][taps] as [group][block][taps][filter of the block], zeros for what fills a group's
/// last vector up.
void pack(float* packed, const float* w, const DirectConv& conv) {
  const int64_t taps = conv.taps();
  for (int64_t g = 0; g < conv.groups; ++g, w += conv.filters * taps)
    for (int64_t first = 0; first < conv.filters;) {
      const int64_t block = block_width(vectors_of(conv.filters - first)) * kLanes;
      const int64_t count = std::min(block, conv.filters - first);
      for (int64_t l = 0; l < taps; ++l, packed += block) {
        for (int64_t o = 0; o < count; ++o) packed[o] = w[(first + o) * taps + l];
        std::fill(packed + count, packed + block, 0.0F);
      }
      first += block;
    }
}

/// Loads the first `count` lanes; the others are zeros.
HWY_INLINE Vector load(const float* from, int64_t count) {
  if (count >= kLanes) return hn::LoadU(kFloats, from);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(kFloats, static_cast<size_t>(count)), kFloats, from);
#else
  alignas(64) float lanes[kLanes] = {};
  std::copy_n(from, count, lanes);
  return hn::Load(kFloats, lanes);
#endif
}
HWY_INLINE void store(Vector value, float* to, int64_t count) {
  if (count >= kLanes) return hn::StoreU(value, kFloats, to);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(value, hn::FirstN(kFloats, static_cast<size_t>(count)), kFloats, to);
#else
  alignas(64) float lanes[kLanes];
  hn::Store(value, kFloats, lanes);
  std::copy_n(lanes, count, to);
#endif
}

/// Computes kPixels neighbours of one row of y by kWidth vectors of filters, of which `filters` are
/// real.
template <int kPixels, int kWidth>
HWY_INLINE void convolve_pixels(float* y, const float* x, const float* w, const DirectConv& conv,
                                const DirectEpilogue& epilogue, int64_t filters) {
  Vector sums[kPixels][kWidth];
  for (int p = 0; p < kPixels; ++p)
    for (int n = 0; n < kWidth; ++n) sums[p][n] = hn::Zero(kFloats);
  const int64_t length = conv.piece, pieces = conv.pieces, step = conv.stride.w * conv.I;
  for (int64_t kh = 0; kh < conv.KH; ++kh, x += conv.dilation.h * conv.W * conv.I)
    for (int64_t k = 0; k < pieces; ++k) {
      const float* piece = x + k * conv.dilation.w * conv.I;
      for (int64_t l = 0; l < length; ++l, w += kWidth * kLanes) {
        Vector taps[kWidth];
        for (int n = 0; n < kWidth; ++n) taps[n] = hn::Load(kFloats, w + n * kLanes);
        for (int p = 0; p < kPixels; ++p) {
          const Vector input = hn::Set(kFloats, piece[p * step + l]);
          for (int n = 0; n < kWidth; ++n) sums[p][n] = hn::MulAdd(input, taps[n], sums[p][n]);
        }
      }
    }
  const float infinity = std::numeric_limits<float>::infinity();
  const Vector lowest = hn::Set(kFloats, epilogue.relu ? 0.0F : -infinity);
  for (int n = 0; n < kWidth; ++n) {
    const int64_t count = std::min<int64_t>(kLanes, filters - n * kLanes);
    const Vector bias = epilogue.bias ? load(epilogue.bias + n * kLanes, count) : hn::Zero(kFloats);
    for (int p = 0; p < kPixels; ++p) {
      const int64_t at = p * conv.O + n * kLanes;
      Vector value = hn::Add(sums[p][n], bias);
      if (epilogue.residual) value = hn::Add(value, load(epilogue.residual + at, count));
      value = hn::IfThenElse(hn::Lt(value, lowest), lowest, value);  // NaN stays
      store(value, y + at, count);
    }
  }
}

/// Computes pixels [begin, OW) of a row of y, in blocks of kPixels and then in smaller ones.
template <int kPixels, int kWidth>
HWY_INLINE void convolve_row(int64_t begin, float* y, const float* x, const float* w,
                             const DirectConv& conv, const DirectEpilogue& epilogue,
                             int64_t filters) {
  for (; begin + kPixels <= conv.OW; begin += kPixels) {
    DirectEpilogue here = epilogue;
    if (here.residual) here.residual += begin * conv.O;
    convolve_pixels<kPixels, kWidth>(y + begin * conv.O, x + begin * conv.stride.w * conv.I, w,
                                     conv, here, filters);
  }
  if constexpr (kPixels > 1)
    convolve_row<kPixels / 2, kWidth>(begin, y, x, w, conv, epilogue, filters);
}

/// Computes one image for one block of filters.
template <int kWidth>
void convolve_image(float* y, const float* x, const float* w, const DirectConv& conv,
                    const DirectEpilogue& epilogue, int64_t filters) {
  constexpr int kPixels = kSums / kWidth < kMostPixels ? 4 : kMostPixels;
  for (int64_t oh = 0; oh < conv.OH; ++oh) {
    DirectEpilogue here = epilogue;
    if (here.residual) here.residual += oh * conv.OW * conv.O;
    convolve_row<kPixels, kWidth>(0, y + oh * conv.OW * conv.O,
                                  x + oh * conv.stride.h * conv.W * conv.I, w, conv, here, filters);
  }
}

/// Computes all filters of one image x (with its border).
void convolve(float* y, const float* x, const float* packed, const DirectConv& conv,
              const DirectEpilogue& epilogue) {
  for (int64_t g = 0; g < conv.groups; ++g, x += conv.channels)
    for (int64_t o = 0; o < conv.filters;) {
      const int64_t width = block_width(vectors_of(conv.filters - o));
      const int64_t first = g * conv.filters + o;
      DirectEpilogue here = epilogue;
      if (here.bias) here.bias += first;
      if (here.residual) here.residual += first;
      const auto convolve_block = width == 1   ? convolve_image<1>
                                  : width == 2 ? convolve_image<2>
                                               : convolve_image<3>;
      convolve_block(y + first, x, packed, conv, here, conv.filters - o);
      o += width * kLanes;
      packed += width * kLanes * conv.taps();
    }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(pack);
HWY_EXPORT(convolve);

constexpr char kLayout = 'd';       // tells this packed form of a w from others
constexpr int64_t kMostLanes = 16;  // of any processor

int64_t bytes(int64_t floats) {
  return floats * static_cast<int64_t>(sizeof(float));
}

DirectConv describe(const FusedConvArgs& args) {
  const ConvGeometry& g = args.geometry;
  DirectConv conv{.N = args.images(),
                  .H = args.x.dim(1) + 2 * g.padding.h,
                  .W = args.x.dim(2) + 2 * g.padding.w,
                  .I = args.x.dim(3),
                  .OH = args.y.dim(1),
                  .OW = args.y.dim(2),
                  .O = args.filters(),
                  .KH = args.w.dim(1),
                  .KW = args.w.dim(2),
                  .groups = g.groups,
                  .stride = g.stride,
                  .dilation = g.dilation,
                  .channels = args.w.dim(3),
                  .filters = args.filters() / g.groups};
  conv.pieces = g.groups == 1 && g.dilation.w == 1 ? 1 : conv.KW;
  conv.piece = conv.KW * conv.channels / std::max<int64_t>(conv.pieces, 1);
  if (conv.KH == 1 && conv.KW == 1 && g.stride == 1 && g.padding == 0) {
    conv.W = conv.OW = conv.N * conv.H * conv.W;
    conv.N = conv.H = conv.OH = 1;
  }
  return conv;
}

/// Copies an image inside a border of zeros, which is there already.
void copy_inside(float* with_border, const float* image, const FusedConvArgs& args,
                 const DirectConv& conv) {
  const int64_t row = args.x.dim(2) * conv.I;
  const PerAxis padding = args.geometry.padding;
  for (int64_t h = 0; h < args.x.dim(1); ++h)
    std::copy_n(image + h * row, row,
                with_border + ((h + padding.h) * conv.W + padding.w) * conv.I);
}

void run(const FusedConvArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  const DirectConv conv = describe(args);
  const bool has_border = args.geometry.padding != 0;
  const int64_t vectors = (conv.filters + kMostLanes - 1) / kMostLanes;
  const int64_t w_size = conv.groups * vectors * kMostLanes * conv.taps();
  const int64_t border_size = has_border ? conv.H * conv.W * conv.I : 0;
  float* scratch =
      static_cast<float*>(context.workspace(bytes(args.points * w_size + border_size)));
  float* with_border = scratch + args.points * w_size;
  std::fill_n(with_border, border_size, 0.0F);
  const auto pack_filters = [&](void* packed) {
    for (int64_t p = 0; p < args.points; ++p) HWY_DYNAMIC_DISPATCH(pack)
    (static_cast<float*>(packed) + p * w_size, args.w.data<float>() + p * conv.O * conv.taps(),
     conv);
  };
  const float* w = static_cast<const float*>(context.state<PackedWeights>().get(
      &kLayout, args.w, args.weights_version, bytes(args.points * w_size), scratch, pack_filters));
  const int64_t x_image = args.x.dim(1) * args.x.dim(2) * conv.I;
  const int64_t x_step = conv.N == args.images() ? x_image : args.images() * x_image;
  const int64_t y_step = conv.OH * conv.OW * conv.O;
  for (int64_t p = 0; p < args.points; ++p) {
    const float* bias = args.bias.defined() ? args.bias.data<float>() + p * conv.O : nullptr;
    for (int64_t n = 0; n < conv.N; ++n) {
      const int64_t image = p * conv.N + n;
      const float* x = args.x.data<float>() + (args.shares_x() ? n : image) * x_step;
      if (has_border) copy_inside(with_border, x, args, conv);
      HWY_DYNAMIC_DISPATCH(convolve)
      (args.y.data<float>() + image * y_step, has_border ? with_border : x, w + p * w_size, conv,
       {.bias = bias,
        .residual =
            args.residual.defined() ? args.residual.data<float>() + image * y_step : nullptr,
        .relu = args.relu});
    }
  }
}

}  // namespace

void register_fused_conv_direct(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"direct", Device::cpu,
                               [](const FusedConvArgs& a) { return a.x.dtype() == DType::f32; },
                               run});
}

}  // namespace topograd
#endif  // HWY_ONCE
