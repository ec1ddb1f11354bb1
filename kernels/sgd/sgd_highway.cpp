// SGD's update in vector code: 20 bytes of traffic per element (three reads, two writes) for five
// multiply-adds. Memory bandwidth bounds it, so there is one pass over the parameters. The branches
// do not depend on the element; the processor predicts them.
#include "kernels/sgd/sgd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sgd/sgd_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Updates one register of elements, starting at i; d is a full vector or a single lane.
template <class D>
HWY_INLINE void sgd_step(D d, const SgdArgs& args, float* theta, float* buffer,
                         const float* gradient, const float* mask, int64_t i) {
  const auto momentum = hn::Set(d, static_cast<float>(args.momentum));
  auto weight_decay = hn::Set(d, static_cast<float>(args.weight_decay));
  if (mask)
    weight_decay = hn::IfThenZeroElse(hn::Eq(hn::LoadU(d, mask + i), hn::Zero(d)), weight_decay);
  const auto learning_rate = hn::Set(d, static_cast<float>(args.learning_rate));
  const auto old_theta = hn::LoadU(d, theta + i);
  const auto g = hn::MulAdd(weight_decay, old_theta, hn::LoadU(d, gradient + i));
  auto step = g;
  if (buffer) {
    if (!args.first_step) step = hn::MulAdd(momentum, hn::LoadU(d, buffer + i), g);
    hn::StoreU(step, d, buffer + i);
    if (args.nesterov) step = hn::MulAdd(momentum, step, g);
  }
  hn::StoreU(hn::NegMulAdd(learning_rate, step, old_theta), d, theta + i);
}

void sgd_all(const SgdArgs& args) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t n = args.theta.size();
  float* theta = args.theta.data<float>();
  float* buffer = args.momentum > 0 ? args.momentum_buffer.data<float>() : nullptr;
  const float* gradient = args.gradient.data<float>();
  const float* mask = args.decay_mask.defined() ? args.decay_mask.data<float>() : nullptr;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sgd_step(d, args, theta, buffer, gradient, mask, i);
  for (; i < n; ++i) sgd_step(hn::CappedTag<float, 1>(), args, theta, buffer, gradient, mask, i);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(sgd_all);

namespace {
void run(const SgdArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(sgd_all)(args);
}
}  // namespace

void register_sgd_highway(OpRegistry& registry) {
  registry.add<SgdArgs>({"highway", Device::cpu,
                         [](const SgdArgs& a) { return a.theta.dtype() == DType::f32; }, run});
}

}  // namespace topograd
#endif  // HWY_ONCE
