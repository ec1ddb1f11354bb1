// g = gradient + weight_decay theta;
// m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2;
// theta = shrink theta - rate m / (sqrt(v) root + epsilon).
//
// The bias corrections are the same for all elements: adam_factors.h forms them on the host, in
// double, as rate = learning_rate / (1 - beta1^step) and root = 1 / sqrt(1 - beta2^step). The
// decoupled decay is in shrink.
//
// Thread i owns elements i, i + step, ... of all four vectors: neighbouring threads touch
// neighbouring floats.
// Traffic: 28 bytes per element (four reads, three writes), 32 with a mask of what decays. Work: 16
// FLOP, a square root and a division among them. Memory bounds it.
#include "kernels/adam/adam_factors.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel of one step; mask may be null.
__global__ void __launch_bounds__(kThreads)
    adam_kernel(float* __restrict__ theta, float* __restrict__ m, float* __restrict__ v,
                const float* __restrict__ gradient, const float* __restrict__ mask,
                AdamFactors<float> f, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const bool decays = !mask || mask[i] != 0;
    const float shrink = decays ? f.shrink : 1.0F;
    const float g = gradient[i] + (decays ? f.weight_decay : 0.0F) * theta[i];
    const float mean = f.beta1 * m[i] + f.one_minus_beta1 * g;
    const float square = f.beta2 * v[i] + f.one_minus_beta2 * g * g;
    m[i] = mean;
    v[i] = square;
    theta[i] = shrink * theta[i] - f.rate * mean / (sqrt(square) * f.root + f.epsilon);
  }
}

void run(const AdamArgs& args, Context& context) {
  const int64_t n = args.theta.size();
  launch(adam_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.theta),
         pointer<float>(args.m), pointer<float>(args.v), pointer<float>(args.gradient),
         args.decay_mask.defined() ? pointer<float>(args.decay_mask) : nullptr,
         AdamFactors<float>(args), n);
}

}  // namespace

void register_adam_1_stream(OpRegistry& registry) {
  registry.add<AdamArgs>(
      {"stream", kDevice, [](const AdamArgs& args) { return all_f32(args.theta); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
