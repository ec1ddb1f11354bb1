// The update, element by element: the oracle.
#include "kernels/sgd/sgd.h"

namespace topograd {

namespace {

void run(const SgdArgs& args, Context&) {
  with_real_type(args.theta.dtype(), [&](auto real) {
    using T = decltype(real);
    const T learning_rate = static_cast<T>(args.learning_rate);
    const T momentum = static_cast<T>(args.momentum);
    const T weight_decay = static_cast<T>(args.weight_decay);
    const T* gradient = args.gradient.data<T>();
    const T* mask = args.decay_mask.defined() ? args.decay_mask.data<T>() : nullptr;
    T* buffer = args.momentum > 0 ? args.momentum_buffer.data<T>() : nullptr;
    T* theta = args.theta.data<T>();
    for (int64_t i = 0; i < args.theta.size(); ++i) {
      const bool decays = !mask || mask[i] != 0;
      const T g = gradient[i] + (decays ? weight_decay : 0) * theta[i];
      T step = g;
      if (buffer) {
        buffer[i] = args.first_step ? g : momentum * buffer[i] + g;
        step = args.nesterov ? g + momentum * buffer[i] : buffer[i];
      }
      theta[i] -= learning_rate * step;
    }
  });
}

}  // namespace

void register_sgd_reference(OpRegistry& registry) {
  registry.add<SgdArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
