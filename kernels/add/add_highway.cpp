// Sums in vector code. Memory bounds all three: add moves 12 bytes for one operation. Sums over
// rows have a channel per lane, in double and in row order, so the bits are the reference's.
//
// Measured on one core with AVX-512, against the reference: [16,32,32,16] add in place 51 us (55),
// add_bias 28 us (66), bias_gradient 26 us (90); [4,32,32,16], which the L2 cache holds, add in
// place 7.8 us (9.4); add_bias of 16 x 10 logits 0.1 us (0.05).
#include "kernels/add/add.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/add/add_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sets y[i] = a[i] + b[i].
void add_all(float* y, const float* a, const float* b, int64_t n) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  for (; i < n; ++i) y[i] = a[i] + b[i];
}

/// Adds y[row, c] += bias[c].
void add_bias_all(float* y, const float* bias, int64_t rows, int64_t C) {
  for (int64_t row = 0; row < rows; ++row, y += C) add_all(y, y, bias, C);
}

/// Sums one, two or four vectors of channels: db[c] = (accumulate ? db[c] : 0) + sum of dy[row, c].
/// Four read whole cache lines and keep four chains of additions going.
template <int kVectors>
HWY_INLINE void sum_channels(float* db, const float* dy, int64_t rows, int64_t C, bool accumulate) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const int64_t L = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  const auto start = [&](int v) HWY_ATTR {
    return accumulate && v < kVectors ? load(db + v * L) : hn::Zero(d);
  };
  const auto store = [&](hn::Vec<decltype(d)> sum, int v)
                         HWY_ATTR { hn::StoreU(hn::DemoteTo(half, sum), half, db + v * L); };
  auto sum0 = start(0), sum1 = start(1), sum2 = start(2), sum3 = start(3);
  for (int64_t row = 0; row < rows; ++row, dy += C) {
    sum0 = hn::Add(sum0, load(dy));
    if constexpr (kVectors >= 2) sum1 = hn::Add(sum1, load(dy + L));
    if constexpr (kVectors >= 4) sum2 = hn::Add(sum2, load(dy + 2 * L));
    if constexpr (kVectors >= 4) sum3 = hn::Add(sum3, load(dy + 3 * L));
  }
  store(sum0, 0);
  if constexpr (kVectors >= 2) store(sum1, 1);
  if constexpr (kVectors >= 4) store(sum2, 2);
  if constexpr (kVectors >= 4) store(sum3, 3);
}

void bias_gradient_all(float* db, const float* dy, int64_t rows, int64_t C, bool accumulate) {
  const int64_t L = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<double>()));
  int64_t c = 0;
  for (; c + 4 * L <= C; c += 4 * L) sum_channels<4>(db + c, dy + c, rows, C, accumulate);
  for (; c + 2 * L <= C; c += 2 * L) sum_channels<2>(db + c, dy + c, rows, C, accumulate);
  for (; c + L <= C; c += L) sum_channels<1>(db + c, dy + c, rows, C, accumulate);
  for (; c < C; ++c) {
    double sum = accumulate ? db[c] : 0.0;
    for (int64_t row = 0; row < rows; ++row) sum += dy[row * C + c];
    db[c] = static_cast<float>(sum);
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(add_all);
HWY_EXPORT(add_bias_all);
HWY_EXPORT(bias_gradient_all);

namespace {

int64_t rows_of(const Tensor& wide, int64_t C) {
  return C == 0 ? 0 : wide.size() / C;
}

void run_add(const AddArgs& a, Context&) {
  HWY_DYNAMIC_DISPATCH(add_all)
  (a.y.data<float>(), a.a.data<float>(), a.b.data<float>(), a.y.size());
}

void run_add_bias(const AddBiasArgs& a, Context&) {
  const int64_t C = a.bias.size();
  HWY_DYNAMIC_DISPATCH(add_bias_all)
  (a.y.data<float>(), a.bias.data<float>(), rows_of(a.y, C), C);
}

void run_bias_gradient(const BiasGradientArgs& a, Context&) {
  const int64_t C = a.db.size();
  HWY_DYNAMIC_DISPATCH(bias_gradient_all)
  (a.db.data<float>(), a.dy.data<float>(), rows_of(a.dy, C), C, a.write == Write::accumulate);
}

}  // namespace

void register_add_highway(OpRegistry& registry) {
  registry.add<AddArgs>({"highway", Device::cpu,
                         [](const AddArgs& a) { return a.y.dtype() == DType::f32; }, run_add});
  registry.add<AddBiasArgs>({"highway", Device::cpu,
                             [](const AddBiasArgs& a) { return a.y.dtype() == DType::f32; },
                             run_add_bias});
  registry.add<BiasGradientArgs>(
      {"highway", Device::cpu, [](const BiasGradientArgs& a) { return a.dy.dtype() == DType::f32; },
       run_bias_gradient});
}

}  // namespace topograd
#endif  // HWY_ONCE
