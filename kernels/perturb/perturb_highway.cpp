// theta + a delta + b eta in vector code, in double lanes and in the same order: the reference's
// bits. It moves 16 bytes per element; memory bounds it once theta leaves the cache. Compiled
// without contraction into fused multiply-adds (see kernels/CMakeLists.txt).
#include "kernels/perturb/perturb.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/perturb/perturb_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <bool kHasDelta, bool kHasEta>
HWY_INLINE void perturb_loop(float* w, const float* theta, const float* delta, const float* eta,
                             double a, double b, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  const auto va = hn::Set(d, a);
  const auto vb = hn::Set(d, b);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto sum = load(theta + i);
    if constexpr (kHasDelta) sum = hn::Add(sum, hn::Mul(va, load(delta + i)));
    if constexpr (kHasEta) sum = hn::Add(sum, hn::Mul(vb, load(eta + i)));
    hn::StoreU(hn::DemoteTo(half, sum), half, w + i);
  }
  for (; i < n; ++i) {
    double sum = theta[i];
    if constexpr (kHasDelta) sum += a * static_cast<double>(delta[i]);
    if constexpr (kHasEta) sum += b * static_cast<double>(eta[i]);
    w[i] = static_cast<float>(sum);
  }
}

/// Computes all of w; delta and eta may be null: their terms are then absent.
void perturb_all(float* w, const float* theta, const float* delta, const float* eta, double a,
                 double b, int64_t n) {
  if (delta && eta)
    perturb_loop<true, true>(w, theta, delta, eta, a, b, n);
  else if (delta)
    perturb_loop<true, false>(w, theta, delta, eta, a, b, n);
  else if (eta)
    perturb_loop<false, true>(w, theta, delta, eta, a, b, n);
  else
    perturb_loop<false, false>(w, theta, delta, eta, a, b, n);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(perturb_all);

void register_perturb_highway(OpRegistry& registry) {
  registry.add<PerturbArgs>(
      {"highway", Device::cpu, [](const PerturbArgs& a) { return a.w.dtype() == DType::f32; },
       [](const PerturbArgs& a, Context&) {
         HWY_DYNAMIC_DISPATCH(perturb_all)
         (a.w.data<float>(), a.theta.data<float>(),
          a.delta.defined() ? a.delta.data<float>() : nullptr,
          a.eta.defined() ? a.eta.data<float>() : nullptr, a.a, a.b, a.w.size());
       }});
}

}  // namespace topograd
#endif  // HWY_ONCE
