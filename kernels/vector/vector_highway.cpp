// Flat vectors in vector code. Elementwise operations work in double lanes and round once; sums
// keep an order that no vector length changes: every result has the reference's bits. Memory bounds
// all of them: at most 12 bytes moved per multiplication. Compiled without contraction into fused
// multiply-adds (see kernels/CMakeLists.txt).
//
// Measured on one core with AVX-512, 65,536 elements, against the reference: axpy 15 us (43), scale
// 9.4 us (28), dot 9.0 us (57); ResNet-56's theta of 855,770: 330 us (570), 170 us (370), 320 us
// (770).
#include "kernels/vector/vector_highway.h"

#include <algorithm>

#include "kernels/vector/dot_order.h"
#include "kernels/vector/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector/vector_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sets y[i] = a x[i] (+ y[i] where kAdd), in double.
template <bool kAdd>
HWY_INLINE void scaled(float* y, const float* x, double a, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  const auto va = hn::Set(d, a);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto value = hn::Mul(va, load(x + i));
    if constexpr (kAdd) value = hn::Add(load(y + i), value);
    hn::StoreU(hn::DemoteTo(half, value), half, y + i);
  }
  for (; i < n; ++i) y[i] = static_cast<float>((kAdd ? y[i] : 0.0) + a * x[i]);
}
void axpy_all(float* y, const float* x, double a, int64_t n) {
  scaled<true>(y, x, a, n);
}
void scale_all(float* y, double a, int64_t n) {
  scaled<false>(y, y, a, n);
}

/// Adds partial[8 j + 0 .. L) += the terms of those places, for j < 4 and all groups of 32 terms.
HWY_INLINE void dot_groups(double* partial, const float* a, const float* b, int64_t groups) {
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  auto sum0 = hn::LoadU(d, partial), sum1 = hn::LoadU(d, partial + 8);
  auto sum2 = hn::LoadU(d, partial + 16), sum3 = hn::LoadU(d, partial + 24);
  for (int64_t g = 0; g < groups; ++g, a += kDotPartialSums, b += kDotPartialSums) {
    sum0 = hn::MulAdd(load(a), load(b), sum0);
    sum1 = hn::MulAdd(load(a + 8), load(b + 8), sum1);
    sum2 = hn::MulAdd(load(a + 16), load(b + 16), sum2);
    sum3 = hn::MulAdd(load(a + 24), load(b + 24), sum3);
  }
  hn::StoreU(sum0, d, partial);
  hn::StoreU(sum1, d, partial + 8);
  hn::StoreU(sum2, d, partial + 16);
  hn::StoreU(sum3, d, partial + 24);
}

double dot_block(const float* a, const float* b, int64_t n) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(hn::CappedTag<double, 8>()));
  const int64_t groups = n / kDotPartialSums;
  const int64_t rest = n % kDotPartialSums;
  double partial[kDotPartialSums] = {};
  // Vectors shorter than eight doubles take several turns over a block, which the L1 cache holds.
  for (int64_t lane = 0; lane < 8; lane += lanes)
    dot_groups(partial + lane, a + lane, b + lane, groups);
  for (int64_t i = 0; i < rest; ++i)
    partial[i] += static_cast<double>(a[n - rest + i]) * b[n - rest + i];
  return sum_of_partial_sums(partial);
}

double dot_all(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kDotBlock)
    sum += dot_block(a + i, b + i, std::min(kDotBlock, n - i));
  return sum;
}

/// Sums with elements as lanes, in row order: y[i] = (accumulate ? y[i] : 0) + x[0][i] + ... +
/// x[rows - 1][i].
void sum_rows(float* y, const float* x, int64_t rows, int64_t n, bool accumulate) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  int64_t i = 0;
  // Two vectors abreast: a cache line per row on AVX-512, and two chains of additions.
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    auto sum0 = accumulate ? load(y + i) : hn::Zero(d);
    auto sum1 = accumulate ? load(y + i + lanes) : hn::Zero(d);
    for (int64_t row = 0; row < rows; ++row) {
      sum0 = hn::Add(sum0, load(x + row * n + i));
      sum1 = hn::Add(sum1, load(x + row * n + i + lanes));
    }
    hn::StoreU(hn::DemoteTo(half, sum0), half, y + i);
    hn::StoreU(hn::DemoteTo(half, sum1), half, y + i + lanes);
  }
  for (; i < n; ++i) {
    double sum = accumulate ? y[i] : 0.0;
    for (int64_t row = 0; row < rows; ++row) sum += x[row * n + i];
    y[i] = static_cast<float>(sum);
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(axpy_all);
HWY_EXPORT(scale_all);
HWY_EXPORT(dot_all);
HWY_EXPORT(sum_rows);

double dot_highway(const float* a, const float* b, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(dot_all)(a, b, n);
}

namespace {

void run_axpy(const AxpyArgs& a, Context&) {
  HWY_DYNAMIC_DISPATCH(axpy_all)(a.y.data<float>(), a.x.data<float>(), a.a, a.y.size());
}

void run_scale(const ScaleArgs& a, Context&) {
  HWY_DYNAMIC_DISPATCH(scale_all)(a.y.data<float>(), a.a, a.y.size());
}

void run_dot(const DotArgs& a, Context&) {
  a.result.data<double>()[0] = dot_highway(a.a.data<float>(), a.b.data<float>(), a.a.size());
}

void run_sum_rows(const SumRowsArgs& a, Context&) {
  HWY_DYNAMIC_DISPATCH(sum_rows)
  (a.y.data<float>(), a.x.data<float>(), a.x.dim(0), a.x.dim(1), a.write == Write::accumulate);
}

}  // namespace

void register_vector_highway(OpRegistry& registry) {
  registry.add<AxpyArgs>({"highway", Device::cpu,
                          [](const AxpyArgs& a) { return a.y.dtype() == DType::f32; }, run_axpy});
  registry.add<ScaleArgs>({"highway", Device::cpu,
                           [](const ScaleArgs& a) { return a.y.dtype() == DType::f32; },
                           run_scale});
  registry.add<DotArgs>({"highway", Device::cpu,
                         [](const DotArgs& a) { return a.a.dtype() == DType::f32; }, run_dot});
  registry.add<SumRowsArgs>({"highway", Device::cpu,
                             [](const SumRowsArgs& a) { return a.y.dtype() == DType::f32; },
                             run_sum_rows});
}

}  // namespace topograd
#endif  // HWY_ONCE
