// The update, element by element: the oracle.
#include "kernels/adam/adam_factors.h"

namespace topograd {

namespace {

void run(const AdamArgs& args, Context&) {
  with_real_type(args.theta.dtype(), [&](auto real) {
    using T = decltype(real);
    const AdamFactors<T> f(args);
    const T* gradient = args.gradient.data<T>();
    T* theta = args.theta.data<T>();
    T* m = args.m.data<T>();
    T* v = args.v.data<T>();
    for (int64_t i = 0; i < args.theta.size(); ++i) {
      const T g = gradient[i] + f.weight_decay * theta[i];
      m[i] = f.beta1 * m[i] + f.one_minus_beta1 * g;
      v[i] = f.beta2 * v[i] + f.one_minus_beta2 * g * g;
      theta[i] = f.shrink * theta[i] - f.rate * m[i] / (std::sqrt(v[i]) * f.root + f.epsilon);
    }
  });
}

}  // namespace

void register_adam_reference(OpRegistry& registry) {
  registry.add<AdamArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
