// Adam's update in vector code: 28 bytes of traffic per element, behind which a square root and a
// division per vector are hidden.
#include "kernels/adam/adam_factors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adam/adam_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Updates one register of elements; the pointers point at its first. d is a full vector or a
/// single lane.
template <class D>
HWY_INLINE void adam_step(D d, const AdamFactors<float>& f, float* theta, float* m, float* v,
                          const float* gradient, const float* mask) {
  auto weight_decay = hn::Set(d, f.weight_decay), shrink = hn::Set(d, f.shrink);
  if (mask) {
    const auto excluded = hn::Eq(hn::LoadU(d, mask), hn::Zero(d));
    weight_decay = hn::IfThenZeroElse(excluded, weight_decay);
    shrink = hn::IfThenElse(excluded, hn::Set(d, 1.0F), shrink);
  }
  const auto old_theta = hn::LoadU(d, theta);
  const auto g = hn::MulAdd(weight_decay, old_theta, hn::LoadU(d, gradient));
  const auto mean =
      hn::MulAdd(hn::Set(d, f.beta1), hn::LoadU(d, m), hn::Mul(hn::Set(d, f.one_minus_beta1), g));
  const auto square = hn::MulAdd(hn::Set(d, f.beta2), hn::LoadU(d, v),
                                 hn::Mul(hn::Mul(hn::Set(d, f.one_minus_beta2), g), g));
  const auto divisor = hn::MulAdd(hn::Sqrt(square), hn::Set(d, f.root), hn::Set(d, f.epsilon));
  const auto step = hn::Div(hn::Mul(hn::Set(d, f.rate), mean), divisor);
  hn::StoreU(mean, d, m);
  hn::StoreU(square, d, v);
  hn::StoreU(hn::MulSub(shrink, old_theta, step), d, theta);
}

void adam_all(const AdamArgs& args) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t n = args.theta.size();
  const AdamFactors<float> f(args);
  float* theta = args.theta.data<float>();
  float* m = args.m.data<float>();
  float* v = args.v.data<float>();
  const float* gradient = args.gradient.data<float>();
  const float* mask = args.decay_mask.defined() ? args.decay_mask.data<float>() : nullptr;
  const auto step = [&](auto tag, int64_t i) HWY_ATTR {
    adam_step(tag, f, theta + i, m + i, v + i, gradient + i, mask ? mask + i : nullptr);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(d, i);
  for (; i < n; ++i) step(hn::CappedTag<float, 1>(), i);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(adam_all);

namespace {
void run(const AdamArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(adam_all)(args);
}
}  // namespace

void register_adam_highway(OpRegistry& registry) {
  registry.add<AdamArgs>({"highway", Device::cpu,
                          [](const AdamArgs& a) { return a.theta.dtype() == DType::f32; }, run});
}

}  // namespace topograd
#endif  // HWY_ONCE
