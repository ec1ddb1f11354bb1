// The update, element by element: the oracle.
#include "kernels/adam/adam_factors.h"

namespace topograd {

namespace {

void run(const AdamArgs& args, Context&) {
  with_real_type(args.theta.dtype(), [&](auto real) {
    using T = decltype(real);
    const AdamFactors<T> f(args);
    const T* gradient = args.gradient.data<T>();
    const T* mask = args.decay_mask.defined() ? args.decay_mask.data<T>() : nullptr;
    T* theta = args.theta.data<T>();
    T* m = args.m.data<T>();
    T* v = args.v.data<T>();
    for (int64_t i = 0; i < args.theta.size(); ++i) {
      const bool decays = !mask || mask[i] != 0;
      const T shrink = decays ? f.shrink : 1;
      const T g = gradient[i] + (decays ? f.weight_decay : 0) * theta[i];
      m[i] = f.beta1 * m[i] + f.one_minus_beta1 * g;
      v[i] = f.beta2 * v[i] + f.one_minus_beta2 * g * g;
      theta[i] = shrink * theta[i] - f.rate * m[i] / (std::sqrt(v[i]) * f.root + f.epsilon);
    }
  });
}

}  // namespace

void register_adam_reference(OpRegistry& registry) {
  registry.add<AdamArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
