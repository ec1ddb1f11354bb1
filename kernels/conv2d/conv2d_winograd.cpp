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
// that of direct summation (tests/ops/test_conv2d.cpp), so that it runs where Rounding::relaxed is
// asked for. Logits of the reference authors' ResNet-56 without skip connections differ from
// PyTorch's by up to 1.2e-3 this way, by 6e-4 summed directly. An infinity or a NaN spreads over
// its tile.
//
// Measured on one core with AVX-512, forward, microseconds an image, against oneDNN's direct
// convolution: 16 channels of 32x32 27 (37), 32 of 16x16 16 (34), 64 of 8x8 13 (32).
#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/packed_weights.h"
#include "kernels/conv2d/winograd_shape.h"

// Arrays of vectors, below, need vectors of a known size.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/conv2d_winograd.cpp"
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

HWY_INLINE Vector times(float factor, Vector v) {
  return hn::Mul(hn::Set(kFloats, factor), v);
}
/// factor * v + w.
HWY_INLINE Vector times_plus(float factor, Vector v, Vector w) {
  return hn::MulAdd(hn::Set(kFloats, factor), v, w);
}

/// o = G g: three taps to six points.
HWY_INLINE void transform_taps(Vector g0, Vector g1, Vector g2, Vector* o) {
  const Vector even = hn::Add(g0, g2);                                    // at +-1
  const Vector even2 = times_plus(4.0F, g2, g0), odd2 = times(2.0F, g1);  // at +-2
  o[0] = times(1.0F / 4, g0);
  o[1] = times(-1.0F / 6, hn::Add(even, g1));
  o[2] = times(-1.0F / 6, hn::Sub(even, g1));
  o[3] = times(1.0F / 24, hn::Add(even2, odd2));
  o[4] = times(1.0F / 24, hn::Sub(even2, odd2));
  o[5] = g2;
}

/// o = B^T d: six inputs to six points.
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

/// o = A^T m: six points to four outputs.
HWY_INLINE void transform_points(const Vector* m, Vector* o) {
  const Vector even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[1], m[2]);
  const Vector even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
  o[0] = hn::Add(m[0], hn::Add(even1, even2));
  o[1] = times_plus(2.0F, odd2, odd1);
  o[2] = times_plus(4.0F, even2, even1);
  o[3] = hn::Add(times_plus(8.0F, odd2, odd1), m[5]);
}

/// One U[p][c][k..], all 36 of them `stride` apart, from nine taps: tap(row, column).
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

/// U[p][c][k] of the filters w[O][3][3][I] for the forward pass: c is I, k is O.
void pack_forward(float* u, const float* w, int64_t O, int64_t I) {
  const hn::RebindToSigned<Floats> integers;
  const auto rows = hn::Mul(hn::Iota(integers, 0), hn::Set(integers, static_cast<int32_t>(9 * I)));
  for (int64_t o = 0; o < O; o += kLanes)
    for (int64_t i = 0; i < I; ++i)
      transform_filter(u + i * O + o, O * I, [&](int row, int column) HWY_ATTR {
        return hn::GatherIndex(kFloats, w + (o * 9 + row * 3 + column) * I + i, rows);
      });
}

/// U[p][c][k] for the gradient of the input: c is O, k is I, and the taps go from the last to the
/// first.
void pack_backward(float* u, const float* w, int64_t O, int64_t I) {
  for (int64_t o = 0; o < O; ++o)
    for (int64_t i = 0; i < I; i += kLanes)
      transform_filter(u + o * I + i, O * I, [&](int row, int column) HWY_ATTR {
        return hn::LoadU(kFloats, w + (o * 9 + 8 - row * 3 - column) * I + i);
      });
}

/// Step 1 for one tile: v[p * stride + c] = B^T d B of the patch d whose rows are row_stride apart.
HWY_INLINE void transform_patch(float* v, int64_t stride, const float* d, int64_t row_stride,
                                int64_t C) {
  for (int64_t c = 0; c < C; c += kLanes) {
    Vector half[kPatch][kPatch];  // B^T d
    for (int column = 0; column < kPatch; ++column) {
      Vector pixels[kPatch], points[kPatch];
      for (int row = 0; row < kPatch; ++row)
        pixels[row] = hn::LoadU(kFloats, d + row * row_stride + column * C + c);
      transform_inputs(pixels, points);
      for (int row = 0; row < kPatch; ++row) half[row][column] = points[row];
    }
    for (int row = 0; row < kPatch; ++row) {
      Vector points[kPatch];
      transform_inputs(half[row], points);
      for (int column = 0; column < kPatch; ++column)
        hn::StoreU(points[column], kFloats, v + (row * kPatch + column) * stride + c);
    }
  }
}

/// A patch that reaches over the border of its image: copied, with zeros for what lies outside.
void copy_patch(float* patch, const float* image, int64_t top, int64_t left,
                const WinogradShape& shape) {
  const int64_t C = shape.C;
  const int64_t first = std::max<int64_t>(0, left), last = std::min(shape.W, left + kPatch);
  for (int64_t h = top; h < top + kPatch; ++h, patch += kPatch * C) {
    std::fill_n(patch, kPatch * C, 0.0F);
    if (h >= 0 && h < shape.H)
      std::copy_n(image + (h * shape.W + first) * C, (last - first) * C,
                  patch + (first - left) * C);
  }
}

/// Step 3 for one tile: the rows x columns of it that lie inside the image, at y.
HWY_INLINE void transform_products(float* y, int64_t row_stride, int rows, int columns,
                                   const float* m, int64_t stride, const float* bias,
                                   bool accumulate, int64_t K) {
  for (int64_t k = 0; k < K; k += kLanes) {
    Vector half[kTile][kPatch];  // A^T m
    for (int column = 0; column < kPatch; ++column) {
      Vector points[kPatch], outputs[kTile];
      for (int row = 0; row < kPatch; ++row)
        points[row] = hn::LoadU(kFloats, m + (row * kPatch + column) * stride + k);
      transform_points(points, outputs);
      for (int row = 0; row < kTile; ++row) half[row][column] = outputs[row];
    }
    const Vector offset = bias ? hn::LoadU(kFloats, bias + k) : hn::Zero(kFloats);
    for (int row = 0; row < kTile; ++row) {
      Vector outputs[kTile];
      transform_points(half[row], outputs);
      if (row >= rows) continue;
      for (int column = 0; column < kTile; ++column) {
        if (column >= columns) continue;
        float* pixel = y + row * row_stride + column * K + k;
        Vector value = hn::Add(outputs[column], offset);
        if (accumulate) value = hn::Add(value, hn::LoadU(kFloats, pixel));
        hn::StoreU(value, kFloats, pixel);
      }
    }
  }
}

// The products' register block: kRows tiles by kWidth vectors of output channels. With AVX-512's 32
// registers 16 sums hide the latency of the multiply-adds; with 16 registers 8 must do.
constexpr int kSums = kLanes == 16 ? 16 : 8;

/// m[t][k..] = sum over c of v[t][c] u[c][k..], for kSums / kWidth tiles and kWidth vectors.
template <int kWidth>
HWY_INLINE void multiply_block(float* m, const float* v, const float* u, int64_t C, int64_t K) {
  constexpr int kRows = kSums / kWidth;
  Vector sums[kRows][kWidth];
  for (int t = 0; t < kRows; ++t)
    for (int n = 0; n < kWidth; ++n) sums[t][n] = hn::Zero(kFloats);
  for (int64_t c = 0; c < C; ++c, u += K) {
    Vector filters[kWidth];
    for (int n = 0; n < kWidth; ++n) filters[n] = hn::LoadU(kFloats, u + n * kLanes);
    for (int t = 0; t < kRows; ++t) {
      const Vector input = hn::Set(kFloats, v[t * C + c]);
      for (int n = 0; n < kWidth; ++n) sums[t][n] = hn::MulAdd(input, filters[n], sums[t][n]);
    }
  }
  for (int t = 0; t < kRows; ++t)
    for (int n = 0; n < kWidth; ++n) hn::StoreU(sums[t][n], kFloats, m + t * K + n * kLanes);
}

/// Step 2: `tiles` is a multiple of 16, so that every register block is whole.
template <int kWidth>
void multiply(float* m, const float* v, const float* u, int64_t tiles, const WinogradShape& shape) {
  const int64_t C = shape.C, K = shape.K;
  for (int p = 0; p < kPoints; ++p, u += C * K, v += shape.v_stride(), m += shape.m_stride())
    for (int64_t k = 0; k < K; k += kWidth * kLanes)
      for (int64_t t = 0; t < tiles; t += kSums / kWidth)
        multiply_block<kWidth>(m + t * K + k, v + t * C, u + k, C, K);
}

/// Where a tile lies: its image and its first output.
struct Position {
  int64_t n, top, left;
};
HWY_INLINE Position position(int64_t tile, const WinogradShape& shape) {
  const int64_t row = tile / shape.tile_columns();
  return {row / shape.tile_rows(), row % shape.tile_rows() * kTile,
          tile % shape.tile_columns() * kTile};
}

/// y (+)= x * filters + bias. v and m: scratch of 36 strides each; patch: 36 * C.
void convolve(float* y, const float* x, const float* u, const float* bias, bool accumulate,
              const WinogradShape& shape, float* v, float* m, float* patch) {
  const int64_t H = shape.H, W = shape.W, C = shape.C, K = shape.K;
  for (int64_t begin = 0; begin < shape.tiles(); begin += shape.block()) {
    const int64_t count = std::min(shape.block(), shape.tiles() - begin);
    const int64_t whole = (count + 15) / 16 * 16;
    for (int64_t t = 0; t < count; ++t) {
      const auto [n, tile_top, tile_left] = position(begin + t, shape);
      const float* image = x + n * H * W * C;
      const int64_t top = tile_top - 1, left = tile_left - 1;
      const bool inside = top >= 0 && left >= 0 && top + kPatch <= H && left + kPatch <= W;
      if (!inside) copy_patch(patch, image, top, left, shape);
      transform_patch(v + t * C, shape.v_stride(), inside ? image + (top * W + left) * C : patch,
                      (inside ? W : kPatch) * C, C);
    }
    for (int p = 0; p < kPoints; ++p)  // what fills the last register block up
      std::fill_n(v + p * shape.v_stride() + count * C, (whole - count) * C, 0.0F);
    if (K % (2 * kLanes) == 0)
      multiply<2>(m, v, u, whole, shape);
    else
      multiply<1>(m, v, u, whole, shape);
    for (int64_t t = 0; t < count; ++t) {
      const auto [n, top, left] = position(begin + t, shape);
      const int rows = static_cast<int>(std::min<int64_t>(kTile, H - top));
      const int columns = static_cast<int>(std::min<int64_t>(kTile, W - left));
      transform_products(y + ((n * H + top) * W + left) * K, W * K, rows, columns, m + t * K,
                         shape.m_stride(), bias, accumulate, K);
    }
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(pack_forward);
HWY_EXPORT(pack_backward);
HWY_EXPORT(convolve);

// What tells the two packed forms of one w apart.
constexpr char kForwardLayout = 'f', kBackwardLayout = 'b';

struct Call {
  Tensor y, x, w, bias;
  bool backward, accumulate;
  uint64_t weights_version;
};

void run(const Call& call, Context& context) {
  const WinogradShape shape{.N = call.x.dim(0),
                            .H = call.x.dim(1),
                            .W = call.x.dim(2),
                            .C = call.x.dim(3),
                            .K = call.y.dim(3)};
  const int64_t u_size = kPoints * shape.C * shape.K, patch_size = kPoints * shape.C;
  const int64_t v_size = kPoints * shape.v_stride(), m_size = kPoints * shape.m_stride();
  float* u_scratch = static_cast<float*>(context.workspace((u_size + v_size + m_size + patch_size) *
                                                           static_cast<int64_t>(sizeof(float))));
  float* v = u_scratch + u_size;
  float* m = v + v_size;
  const auto pack = [&](void* packed) {
    float* u = static_cast<float*>(packed);
    const float* w = call.w.data<float>();
    const int64_t O = call.w.dim(0), I = call.w.dim(3);
    if (call.backward)
      HWY_DYNAMIC_DISPATCH(pack_backward)(u, w, O, I);
    else
      HWY_DYNAMIC_DISPATCH(pack_forward)(u, w, O, I);
  };
  const void* u = context.state<PackedWeights>().get(
      call.backward ? &kBackwardLayout : &kForwardLayout, call.w, call.weights_version,
      u_size * static_cast<int64_t>(sizeof(float)), u_scratch, pack);
  HWY_DYNAMIC_DISPATCH(convolve)
  (call.y.data<float>(), call.x.data<float>(), static_cast<const float*>(u),
   call.bias.defined() ? call.bias.data<float>() : nullptr, call.accumulate, shape, v, m,
   m + m_size);
}

/// 3x3, stride 1, padding 1, whole vectors of channels on both sides, and images no smaller than a
/// tile: below that most of a tile lies outside.
bool supports(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, Rounding rounding) {
  return rounding == Rounding::relaxed && x.dtype() == DType::f32 && geometry.stride == 1 &&
         geometry.padding == 1 && w.dim(1) == 3 && w.dim(2) == 3 && w.dim(0) % 16 == 0 &&
         w.dim(3) % 16 == 0 && w.size() > 0 && x.dim(0) > 0 && x.dim(1) >= kTile &&
         x.dim(2) >= kTile;
}

}  // namespace

void register_conv2d_winograd(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>(
      {"winograd", Device::cpu,
       [](const Conv2dForwardArgs& a) { return supports(a.x, a.w, a.geometry, a.rounding); },
       [](const Conv2dForwardArgs& a, Context& context) {
         run({a.y, a.x, a.w, a.bias, false, false, a.weights_version}, context);
       }});
  registry.add<Conv2dBackwardDataArgs>(
      {"winograd", Device::cpu,
       [](const Conv2dBackwardDataArgs& a) { return supports(a.dx, a.w, a.geometry, a.rounding); },
       [](const Conv2dBackwardDataArgs& a, Context& context) {
         run({a.dx, a.dy, a.w, Tensor(), true, a.write == Write::accumulate, a.weights_version},
             context);
       }});
}

}  // namespace topograd
#endif  // HWY_ONCE
