// g = gradient + weight_decay theta;   buffer = momentum buffer + g, on the first step g;
// theta = theta - learning_rate (buffer, or g + momentum buffer for Nesterov's step).
//
// Thread i owns elements i, i + step, ... of all three vectors: neighbouring threads touch
// neighbouring floats. All of it is one pass: an operation per line would read and write theta and
// the buffer again each time.
// Traffic: 20 bytes per element (three reads, two writes); 12 without momentum; 4 more with a mask
// of what decays. Work: 6 FLOP, with Nesterov's step 8. Memory bounds it. The branches are the same
// for all threads and cost nothing beside that.
#include "kernels/core/launch.h"
#include "kernels/sgd/sgd.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel of one step. buffer is null where momentum is 0, and not read where first_step. mask may
/// be null.
__global__ void __launch_bounds__(kThreads)
    sgd_kernel(float* __restrict__ theta, float* __restrict__ buffer,
               const float* __restrict__ gradient, const float* __restrict__ mask,
               float learning_rate, float momentum, float weight_decay, bool nesterov,
               bool first_step, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const float decay = mask && mask[i] == 0 ? 0.0F : weight_decay;
    const float g = gradient[i] + decay * theta[i];
    float step = g;
    if (buffer) {
      if (!first_step) step = momentum * buffer[i] + g;
      buffer[i] = step;
      if (nesterov) step = g + momentum * step;
    }
    theta[i] -= learning_rate * step;
  }
}

void run(const SgdArgs& args, Context& context) {
  const int64_t n = args.theta.size();
  launch(sgd_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.theta),
         args.momentum > 0 ? pointer<float>(args.momentum_buffer) : nullptr,
         pointer<float>(args.gradient),
         args.decay_mask.defined() ? pointer<float>(args.decay_mask) : nullptr,
         static_cast<float>(args.learning_rate), static_cast<float>(args.momentum),
         static_cast<float>(args.weight_decay), args.nesterov, args.first_step, n);
}

}  // namespace

void register_sgd_1_stream(OpRegistry& registry) {
  registry.add<SgdArgs>(
      {"stream", kDevice, [](const SgdArgs& args) { return all_f32(args.theta); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
