// 3x3 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3): S. Winograd,
// "Arithmetic Complexity of Computations", 1980; A. Lavin and S. Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016.
//
// A tile of 4x4 outputs depends on a patch d of 6x6 inputs. Computed directly, it takes 16 * 9 =
// 144 multiplications per pair of channels; as
//   Y = A^T [ (G g G^T) . (B^T d B) ] A          (. element by element, sums over channels inside)
// it takes 36, and the transforms are shared by all channels on the other side. Three steps for a
// block of tiles, all in cache:
//   1. V[p][tile][c] = B^T d B       p: one of the 36 points of a transformed patch
//   2. M[p][tile][k] = sum over c of V[p][tile][c] U[p][c][k]: 36 small matrix products
//   3. Y = A^T M A, plus bias, plus what is there already
// U = G g G^T is packed once per version of the weights. The gradient of the input is the same
// convolution, of dy with the filters turned by 180 degrees and their channels exchanged.
//
// Its sums pass through numbers some ten times larger than their result: the error is several times
// that of direct summation (kernels/conv2d/test_conv2d.cpp), so that it runs where
// ErrorBudget::relaxed is asked for, and where surfaces are evaluated. Logits of the reference
// authors' ResNet-56 without skip connections differ from PyTorch's by up to 1.2e-3 this way, by
// 6e-4 summed directly. An infinity or a NaN spreads over its tile.
#include "kernels/conv2d/winograd.h"

#include <algorithm>
#include <limits>
#include <type_traits>

// Arrays of vectors, below, need vectors of a known size.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/winograd.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kFloats));

// Unrolls the loop that follows: only then do arrays of vectors live in registers.
#if defined(__clang__)
#define TOPOGRAD_UNROLL _Pragma("unroll")
#else
#define TOPOGRAD_UNROLL _Pragma("GCC unroll 16")
#endif

HWY_INLINE Vector times(float factor, Vector v) {
  return hn::Mul(hn::Set(kFloats, factor), v);
}
/// Returns factor * v + w.
HWY_INLINE Vector times_plus(float factor, Vector v, Vector w) {
  return hn::MulAdd(hn::Set(kFloats, factor), v, w);
}

/// Computes o = G g: three taps to six points.
HWY_INLINE void transform_taps(Vector g0, Vector g1, Vector g2, Vector* o) {
  const Vector even = hn::Add(g0, g2);                                    // values at +-1
  const Vector even2 = times_plus(4.0F, g2, g0), odd2 = times(2.0F, g1);  // at +-2
  o[0] = times(1.0F / 4, g0);
  o[1] = times(-1.0F / 6, hn::Add(even, g1));
  o[2] = times(-1.0F / 6, hn::Sub(even, g1));
  o[3] = times(1.0F / 24, hn::Add(even2, odd2));
  o[4] = times(1.0F / 24, hn::Sub(even2, odd2));
  o[5] = g2;
}

/// Computes o = B^T d: six inputs to six points.
HWY_INLINE void transform_inputs(const Vector* d, Vector* o) {
  const Vector even1 = times_plus(-4.0F, d[2], d[4]), odd1 = times_plus(-4.0F, d[1], d[3]);
  const Vector even2 = hn::Sub(d[4], d[2]), odd2 = times(2.0F, hn::Sub(d[3], d[1]));
  o[0] = times_plus(4.0F, d[0], times_plus(-5.0F, d[2], d[4]));
  o[1] = hn::Add(even1, odd1);
  o[2] = hn::Sub(even1, odd1);
  o[3] = hn::Add(even2, odd2);
  o[4] = hn::Sub(even2, odd2);
  o[5] = times_plus(4.0F, d[1], times_plus(-5.0F, d[3], d[5]));
}

/// Computes o = A^T m: six points to four outputs.
HWY_INLINE void transform_points(const Vector* m, Vector* o) {
  const Vector even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[1], m[2]);
  const Vector even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
  o[0] = hn::Add(m[0], hn::Add(even1, even2));
  o[1] = times_plus(2.0F, odd2, odd1);
  o[2] = times_plus(4.0F, even2, even1);
  o[3] = hn::Add(times_plus(8.0F, odd2, odd1), m[5]);
}

/// Writes one U[p][c][k..], all 36 of them `stride` apart, from nine taps: tap(row, column).
template <class Tap>
HWY_INLINE void transform_filter(float* u, int64_t stride, Tap tap) {
  Vector half[kPatch][3];  // G g
  for (int column = 0; column < 3; ++column) {
    Vector points[kPatch];
    transform_taps(tap(0, column), tap(1, column), tap(2, column), points);
    for (int row = 0; row < kPatch; ++row) half[row][column] = points[row];
  }
  for (int row = 0; row < kPatch; ++row) {
    Vector points[kPatch];
    transform_taps(half[row][0], half[row][1], half[row][2], points);
    for (int column = 0; column < kPatch; ++column)
      hn::StoreU(points[column], kFloats, u + (row * kPatch + column) * stride);
  }
}

void pack_forward(float* u, const float* w, int64_t O, int64_t I) {
  const hn::RebindToSigned<Floats> integers;
  const auto rows = hn::Mul(hn::Iota(integers, 0), hn::Set(integers, static_cast<int32_t>(9 * I)));
  for (int64_t o = 0; o < O; o += kLanes)
    for (int64_t i = 0; i < I; ++i)
      transform_filter(u + i * O + o, O * I, [&](int row, int column) HWY_ATTR {
        return hn::GatherIndex(kFloats, w + (o * 9 + row * 3 + column) * I + i, rows);
      });
}

void pack_backward(float* u, const float* w, int64_t O, int64_t I) {
  for (int64_t o = 0; o < O; ++o)
    for (int64_t i = 0; i < I; i += kLanes)
      transform_filter(u + o * I + i, O * I, [&](int row, int column) HWY_ATTR {
        return hn::LoadU(kFloats, w + (o * 9 + 8 - row * 3 - column) * I + i);
      });
}

/// Neighbouring tiles in one row of tiles of one image: where the first one's outputs begin.
struct Strip {
  int64_t n, top, left, count;
};

constexpr int64_t kLongestStrip = 16;

/// Calls f(strip, first) for the strips that make up tiles [begin, end) of a batch, in order;
/// first: the number of its first tile, counted from begin.
template <class F>
HWY_INLINE void for_each_strip(int64_t begin, int64_t end, const WinogradShape& shape, const F& f) {
  const int64_t columns = shape.tile_columns(), rows = shape.tile_rows();
  for (int64_t tile = begin; tile < end;) {
    const int64_t row = tile / columns, column = tile % columns;
    const int64_t count = std::min({columns - column, end - tile, kLongestStrip});
    f(Strip{row / rows, row % rows * kTile, column * kTile, count}, tile - begin);
    tile += count;
  }
}

/// Computes B^T d for `columns` columns of six pixels each, the first `left` of the row:
/// line[row][column]. d points to the first column's first pixel, kLanes channels. Rows outside
/// [top, bottom) of the six are zeros; kWhole: there are none.
template <bool kWhole>
HWY_INLINE void transform_columns(float* line, int64_t line_stride, const float* d, int64_t columns,
                                  int64_t row_stride, int64_t C, int top, int bottom) {
  for (int64_t column = 0; column < columns; ++column, d += C, line += kLanes) {
    Vector pixels[kPatch], points[kPatch];
    TOPOGRAD_UNROLL
    for (int row = 0; row < kPatch; ++row) {
      const bool inside = kWhole || (top <= row && row < bottom);
      pixels[row] = inside ? hn::LoadU(kFloats, d + row * row_stride) : hn::Zero(kFloats);
    }
    transform_inputs(pixels, points);
    TOPOGRAD_UNROLL
    for (int row = 0; row < kPatch; ++row)
      hn::Store(points[row], kFloats, line + row * line_stride);
  }
}

/// Step 1 for a strip of tiles and kLanes channels: v[p * stride + tile * tile_stride] = B^T d B of
/// each tile's patch d. Neighbours share two columns: B^T d is worked out once per column.
HWY_NOINLINE void transform_strip(float* v, int64_t stride, int64_t tile_stride, const float* x,
                                  const Strip& strip, const WinogradShape& shape) {
  alignas(64) float line[kPatch * (kLongestStrip * kTile + 2) * kLanes];
  const int64_t columns = strip.count * kTile + 2, line_stride = columns * kLanes;
  const int64_t H = shape.H, W = shape.W, C = shape.C, h = strip.top - 1, w = strip.left - 1;
  const int64_t first = w < 0 ? 1 : 0, last = std::min(columns, W - w);  // columns in the image
  for (int row = 0; row < kPatch; ++row) {
    std::fill_n(line + row * line_stride, first * kLanes, 0.0F);
    std::fill_n(line + row * line_stride + last * kLanes, (columns - last) * kLanes, 0.0F);
  }
  const float* d = x + ((strip.n * H + h) * W + w + first) * C;  // rows before x are not read
  const int top = h < 0 ? 1 : 0, bottom = static_cast<int>(std::min<int64_t>(kPatch, H - h));
  if (top == 0 && bottom == kPatch)
    transform_columns<true>(line + first * kLanes, line_stride, d, last - first, W * C, C, 0, 0);
  else
    transform_columns<false>(line + first * kLanes, line_stride, d, last - first, W * C, C, top,
                             bottom);
  for (int64_t t = 0; t < strip.count; ++t, v += tile_stride)
    for (int row = 0; row < kPatch; ++row) {
      const float* from = line + row * line_stride + t * kTile * kLanes;
      Vector half[kPatch], points[kPatch];
      TOPOGRAD_UNROLL
      for (int column = 0; column < kPatch; ++column)
        half[column] = hn::Load(kFloats, from + column * kLanes);
      transform_inputs(half, points);
      TOPOGRAD_UNROLL
      for (int column = 0; column < kPatch; ++column)
        hn::StoreU(points[column], kFloats, v + (row * kPatch + column) * stride);
    }
}

/// Step 1 for tiles [begin, end). V[p] holds blocks of channels, [C / kBlock][tile][kBlock].
template <int kBlock>
void transform_tiles(float* v, const float* x, int64_t begin, int64_t end,
                     const WinogradShape& shape) {
  for_each_strip(begin, end, shape, [&](const Strip& strip, int64_t tile) HWY_ATTR {
    for (int64_t c = 0; c < shape.C; c += kLanes)
      transform_strip(v + (c / kBlock * shape.block() + tile) * kBlock + c % kBlock,
                      shape.v_stride(), kBlock, x + c, strip, shape);
  });
}

/// Fills up the last register block with zeros.
template <int kBlock>
void clear_tiles(float* v, int64_t begin, int64_t end, const WinogradShape& shape) {
  for (int p = 0; p < kPoints; ++p)
    for (int64_t c = 0; c < shape.C; c += kBlock)
      std::fill_n(v + p * shape.v_stride() + (c / kBlock * shape.block() + begin) * kBlock,
                  (end - begin) * kBlock, 0.0F);
}

// The products' register block: kRows tiles by one or two vectors of output channels. With
// AVX-512's 32 registers 8 or 16 sums hide the latency of the multiply-adds; with 16 registers 8
// must do.
constexpr int kRows = kLanes == 16 ? 8 : 4;

/// Computes m[t][k] (+)= sum over c of v[t][c] u[c][k], for a block of channels c, kRows tiles and
/// kWidth vectors of channels k. Rows of u are K apart, those of v and m follow one another.
template <int kBlock, int kWidth>
HWY_INLINE void multiply_block(float* m, const float* v, const float* u, int64_t K, bool add) {
  constexpr int kGroup = kWidth * kLanes;
  Vector sums[kRows][kWidth];
  for (int t = 0; t < kRows; ++t)
    for (int n = 0; n < kWidth; ++n)
      sums[t][n] = add ? hn::LoadU(kFloats, m + t * kGroup + n * kLanes) : hn::Zero(kFloats);
  for (int c = 0; c < kBlock; ++c, u += K) {
    Vector filters[kWidth];
    for (int n = 0; n < kWidth; ++n) filters[n] = hn::LoadU(kFloats, u + n * kLanes);
    for (int t = 0; t < kRows; ++t) {
      const Vector input = hn::Set(kFloats, v[t * kBlock + c]);
      for (int n = 0; n < kWidth; ++n) sums[t][n] = hn::MulAdd(input, filters[n], sums[t][n]);
    }
  }
  for (int t = 0; t < kRows; ++t)
    for (int n = 0; n < kWidth; ++n) hn::StoreU(sums[t][n], kFloats, m + t * kGroup + n * kLanes);
}

/// Step 2: `tiles` is a multiple of 8, so that every register block is whole. M[p] holds groups of
/// channels, [K / kGroup][tile][kGroup] with kGroup = kWidth * kLanes.
template <int kBlock, int kWidth>
void multiply(float* m, const float* v, const float* u, int64_t tiles, const WinogradShape& shape) {
  constexpr int kGroup = kWidth * kLanes;
  const int64_t C = shape.C, K = shape.K, block = shape.block();
  for (int p = 0; p < kPoints; ++p, u += C * K, v += shape.v_stride(), m += shape.m_stride())
    for (int64_t c = 0; c < C; c += kBlock)
      for (int64_t k = 0; k < K; k += kGroup)
        for (int64_t t = 0; t < tiles; t += kRows)
          multiply_block<kBlock, kWidth>(m + k * block + t * kGroup, v + c * block + t * kBlock,
                                         u + c * K + k, K, c > 0);
}

/// Returns max(lowest, v), NaN where v is: processors whose maximum knows no NaN return the second
/// operand.
HWY_INLINE Vector at_least(Vector lowest, Vector v) {
  return hn::Max(lowest, v);
}

/// Step 3 for one tile and kLanes channels: the rows x columns of it that lie inside the image, at
/// y, whose pixels are K apart. kWhole: 4 x 4.
template <bool kWhole, bool kResidual>
HWY_NOINLINE void transform_products(float* y, int64_t row_stride, int64_t K, int rows, int columns,
                                     const float* m, int64_t stride,
                                     const WinogradEpilogue& epilogue) {
  Vector half[kTile][kPatch];  // A^T m
  for (int column = 0; column < kPatch; ++column, m += stride) {
    Vector points[kPatch], outputs[kTile];
    TOPOGRAD_UNROLL
    for (int row = 0; row < kPatch; ++row)
      points[row] = hn::LoadU(kFloats, m + row * kPatch * stride);
    transform_points(points, outputs);
    TOPOGRAD_UNROLL
    for (int row = 0; row < kTile; ++row) half[row][column] = outputs[row];
  }
  const Vector bias = epilogue.bias ? hn::LoadU(kFloats, epilogue.bias) : hn::Zero(kFloats);
  const float infinity = std::numeric_limits<float>::infinity();
  const Vector lowest = hn::Set(kFloats, epilogue.relu ? 0.0F : -infinity);
  const float* residual = epilogue.residual;
  for (int row = 0; row < rows; ++row, y += row_stride) {
    Vector outputs[kTile];
    transform_points(half[row], outputs);
    TOPOGRAD_UNROLL
    for (int column = 0; column < kTile; ++column) {
      if (!kWhole && column >= columns) continue;
      Vector value = hn::Add(outputs[column], bias);
      if (kResidual) value = hn::Add(value, hn::LoadU(kFloats, residual + column * K));
      hn::StoreU(at_least(lowest, value), kFloats, y + column * K);
    }
    if (kResidual) residual += row_stride;
  }
}

/// Step 3 for tiles [begin, end).
template <int kWidth>
void write_tiles(float* y, const float* m, const WinogradEpilogue& epilogue, int64_t begin,
                 int64_t end, const WinogradShape& shape) {
  constexpr int kGroup = kWidth * kLanes;
  const int64_t H = shape.H, W = shape.W, K = shape.K;
  const bool residual = epilogue.residual != nullptr;
  for_each_strip(begin, end, shape, [&](const Strip& strip, int64_t tile) HWY_ATTR {
    const int rows = static_cast<int>(std::min<int64_t>(kTile, H - strip.top));
    for (int64_t t = 0; t < strip.count; ++t) {
      const int64_t left = strip.left + t * kTile;
      const int columns = static_cast<int>(std::min<int64_t>(kTile, W - left));
      const int64_t pixel = ((strip.n * H + strip.top) * W + left) * K;
      const bool whole = rows == kTile && columns == kTile;
      const auto transform =
          whole ? (residual ? transform_products<true, true> : transform_products<true, false>)
                : (residual ? transform_products<false, true> : transform_products<false, false>);
      for (int64_t k = 0; k < K; k += kLanes) {
        const WinogradEpilogue here{.bias = epilogue.bias ? epilogue.bias + k : nullptr,
                                    .residual = residual ? epilogue.residual + pixel + k : nullptr,
                                    .relu = epilogue.relu};
        transform(y + pixel + k, W * K, K, rows, columns,
                  m + (k / kGroup * shape.block() + tile + t) * kGroup + k % kGroup,
                  shape.m_stride(), here);
      }
    }
  });
}

template <int kBlock, int kWidth>
void convolve_in_blocks(float* y, const float* x, const float* u, const WinogradEpilogue& epilogue,
                        const WinogradShape& shape, float* scratch) {
  float* v = scratch;
  float* m = v + kPoints * shape.v_stride();
  for (int64_t begin = 0; begin < shape.tiles(); begin += shape.block()) {
    const int64_t end = std::min(begin + shape.block(), shape.tiles()), count = end - begin;
    const int64_t whole = (count + 7) / 8 * 8;
    transform_tiles<kBlock>(v, x, begin, end, shape);
    if (count < whole) clear_tiles<kBlock>(v, count, whole, shape);
    multiply<kBlock, kWidth>(m, v, u, whole, shape);
    write_tiles<kWidth>(y, m, epilogue, begin, end, shape);
  }
}

void convolve(float* y, const float* x, const float* u, const WinogradEpilogue& epilogue,
              const WinogradShape& shape, float* scratch) {
  const bool wide = shape.K % (2 * kLanes) == 0;
  const auto run = [&](auto block) HWY_ATTR {
    if (wide)
      convolve_in_blocks<block, 2>(y, x, u, epilogue, shape, scratch);
    else
      convolve_in_blocks<block, 1>(y, x, u, epilogue, shape, scratch);
  };
  if (shape.channel_block() == 64)
    run(std::integral_constant<int, 64>());
  else if (shape.channel_block() == 32)
    run(std::integral_constant<int, 32>());
  else
    run(std::integral_constant<int, 16>());
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(pack_forward);
HWY_EXPORT(pack_backward);
HWY_EXPORT(convolve);

bool winograd_fits(const Tensor& x, const Tensor& w, const ConvGeometry& geometry) {
  return x.dtype() == DType::f32 && geometry.is_dense() && geometry.stride == 1 &&
         geometry.padding == 1 && w.dim(1) == 3 && w.dim(2) == 3 && w.dim(0) % 16 == 0 &&
         w.dim(3) % 16 == 0 && w.size() > 0 && x.dim(0) > 0 && x.dim(1) >= kTile &&
         x.dim(2) >= kTile;
}

void winograd_pack_forward(float* u, const float* w, int64_t O, int64_t I) {
  HWY_DYNAMIC_DISPATCH(pack_forward)(u, w, O, I);
}

void winograd_pack_backward(float* u, const float* w, int64_t O, int64_t I) {
  HWY_DYNAMIC_DISPATCH(pack_backward)(u, w, O, I);
}

void winograd_convolve(float* y, const float* x, const float* u, const WinogradEpilogue& epilogue,
                       const WinogradShape& shape, float* scratch) {
  HWY_DYNAMIC_DISPATCH(convolve)(y, x, u, epilogue, shape, scratch);
}

}  // namespace topograd
#endif  // HWY_ONCE
