// The sum of rows in vector code: lanes are elements, sums are double and in row order, so the bits
// are the reference's. It reads 4 bytes per addition: memory bounds it.
#include "kernels/vector/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector/vector_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// y[i] = (accumulate ? y[i] : 0) + x[0][i] + ... + x[rows - 1][i].
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

HWY_EXPORT(sum_rows);

void register_vector_highway(OpRegistry& registry) {
  registry.add<SumRowsArgs>({"highway", Device::cpu,
                             [](const SumRowsArgs& a) { return a.y.dtype() == DType::f32; },
                             [](const SumRowsArgs& a, Context&) {
                               HWY_DYNAMIC_DISPATCH(sum_rows)
                               (a.y.data<float>(), a.x.data<float>(), a.x.dim(0), a.x.dim(1),
                                a.write == Write::accumulate);
                             }});
}

}  // namespace topograd
#endif  // HWY_ONCE
