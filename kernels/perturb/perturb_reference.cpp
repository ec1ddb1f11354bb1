// The formula, element by element. Compiled without contraction of a * b + c into a fused
// multiply-add (see kernels/CMakeLists.txt), so that all implementations round alike.
#include "kernels/perturb/perturb.h"

namespace topograd {

namespace {

void run(const PerturbArgs& args, Context&) {
  with_real_type(args.w.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* theta = args.theta.data<T>();
    const T* delta = args.delta.defined() ? args.delta.data<T>() : nullptr;
    const T* eta = args.eta.defined() ? args.eta.data<T>() : nullptr;
    T* w = args.w.data<T>();
    for (int64_t i = 0; i < args.w.size(); ++i) {
      double sum = theta[i];
      if (delta) sum += args.a * static_cast<double>(delta[i]);
      if (eta) sum += args.b * static_cast<double>(eta[i]);
      w[i] = static_cast<T>(sum);
    }
  });
}

}  // namespace

void register_perturb_reference(OpRegistry& registry) {
  registry.add<PerturbArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
