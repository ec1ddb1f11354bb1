// dz[j] = scale * (p[j] - q[j]) for cross-entropy, with p = softmax(z) and the smoothed label q,
// without smoothing the one-hot t; scale * 2 / C * p[j] (e[j] - sum of p e), e = p - t, for the
// squared error.
//
// A warp owns image i, then i + step, ...; its lane l owns classes l, l + 32, ..., as in
// loss_forward_1_warp.cu. A lane reads no logit of another lane: what the others contribute comes
// by shuffles. That is why dz may lie where z does, without a barrier.
//
// Traffic: 8 C bytes per image. Work: two exponentials in double per logit (three for the squared
// error): forming them again is cheaper than keeping a number of values that C decides. Latency
// bounds it at the size of a training batch.
#include "kernels/loss/loss.h"
#include "kernels/loss/loss_operands.h"
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel over the images; dlogits may be the logits.
__global__ void __launch_bounds__(kThreads)
    loss_backward_kernel(float* dlogits, const float* logits, const int32_t* __restrict__ labels,
                         int64_t N, int64_t C, bool cross_entropy, SmoothedTarget q, double scale) {
  // This thread's warp owns images i, i + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < N; i += element_step() / kWarp) {
    const float* z = logits + i * C;
    const int64_t label = labels[i];
    const Softmax softmax = softmax_of(z, C, lane);
    const double inverse = 1 / softmax.sum;
    const auto p = [&](int64_t c) { return exp(z[c] - softmax.maximum) * inverse; };
    double mean_error = 0;
    if (!cross_entropy) {
      for (int64_t c = lane; c < C; c += kWarp)
        mean_error += p(c) * (p(c) - (c == label ? q.label : q.other));
      mean_error = sum_over_warp(mean_error);
    }
    const bool is_class = 0 <= label && label < C;
    const double factor = cross_entropy ? scale : 2 * scale / static_cast<double>(C);
    for (int64_t c = lane; c < C; c += kWarp) {
      const double error = p(c) - (c == label ? q.label : q.other);
      const double slope = cross_entropy ? error : p(c) * (error - mean_error);
      dlogits[i * C + c] = is_class ? static_cast<float>(factor * slope) : NAN;
    }
  }
}

void run(const LossBackwardArgs& args, Context& context) {
  const int64_t N = args.labels.size();
  launch(loss_backward_kernel, grid_for(N * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dlogits), pointer<float>(args.logits), pointer<int32_t>(args.labels),
         N, args.logits.dim(1), args.loss.kind == LossKind::cross_entropy,
         SmoothedTarget(args.loss.constant, args.logits.dim(1)), args.scale);
}

}  // namespace

void register_loss_backward_1_warp(OpRegistry& registry) {
  registry.add<LossBackwardArgs>(
      {"warp", kDevice, [](const LossBackwardArgs& args) { return is_plain_softmax(args); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
