// losses[i] = -log p[label], or -sum of q log p with the smoothed label q, or the mean over classes
// of (p - one-hot)^2, with p = softmax(z);
// correct[i] = whether z[label] is the first of the largest logits. z is row i of [P * N, C].
//
// A warp owns image i, then i + step, ...; its lane l owns classes l, l + 32, ..., so that a warp
// reads 128 consecutive bytes. Maximum and sums go over the warp in five shuffles each; there is no
// shared memory and no barrier. The logits are read once from memory, and from the L1 cache for
// every later use: the sum, the squared error, the comparison with the label's logit.
//
// exp and log are in double, because the smallest losses must keep their digits: -log p of a
// confident network is 1e-7 and less, where a float p is 1.
//
// Traffic: 4 C + 8 bytes per image, 4 for its label. Work: an exponential in double per logit, some
// 20 FLOP (twice for the squared error), and one logarithm per image. With 10 classes, 22 of 32
// lanes are idle and latency bounds it: a network's last convolution takes a hundred times as long.
#include "kernels/loss/loss.h"
#include "kernels/loss/loss_operands.h"
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Whether the label's logit is the first of the largest, and none is NaN; the same in every lane.
__device__ bool label_wins(const float* z, int64_t C, int64_t label, int lane) {
  bool wins = true;
  for (int64_t c = lane; c < C; c += kWarp)
    wins = wins && (c < label ? z[c] < z[label] : z[c] <= z[label]);
  return __all_sync(kAllLanes, wins) != 0;
}

/// Kernel over images = P * N; correct may be null.
__global__ void __launch_bounds__(kThreads)
    loss_forward_kernel(float* __restrict__ losses, int32_t* __restrict__ correct,
                        const float* __restrict__ logits, const int32_t* __restrict__ labels,
                        int64_t images, int64_t N, int64_t C, bool cross_entropy,
                        SmoothedTarget q) {
  // This thread's warp owns images i, i + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < images; i += element_step() / kWarp) {
    const float* z = logits + i * C;
    const int64_t label = labels[i % N];
    const bool is_class = 0 <= label && label < C;
    double loss = NAN;
    bool wins = false;
    if (is_class) {  // the same for all lanes
      const Softmax softmax = softmax_of(z, C, lane);
      if (cross_entropy) {
        double target_logit = z[label] - softmax.maximum;
        if (q.other != 0) {  // for all lanes alike; 0 times a logit of -inf would be NaN
          target_logit = 0;
          for (int64_t c = lane; c < C; c += kWarp)
            target_logit += (c == label ? q.label : q.other) * (z[c] - softmax.maximum);
          target_logit = sum_over_warp(target_logit);
        }
        loss = log(softmax.sum) - target_logit;
      } else {
        const double inverse = 1 / softmax.sum;
        double squares = 0;
        for (int64_t c = lane; c < C; c += kWarp) {
          const double error = exp(z[c] - softmax.maximum) * inverse - (c == label ? 1 : 0);
          squares += error * error;
        }
        loss = sum_over_warp(squares) / static_cast<double>(C);
      }
      wins = label_wins(z, C, label, lane);
    }
    if (lane == 0) {
      losses[i] = static_cast<float>(loss);
      if (correct) correct[i] = wins ? 1 : 0;
    }
  }
}

void run(const LossForwardArgs& args, Context& context) {
  const int64_t images = args.losses.size();
  launch(loss_forward_kernel, grid_for(images * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.losses),
         args.correct.defined() ? pointer<int32_t>(args.correct) : nullptr,
         pointer<float>(args.logits), pointer<int32_t>(args.labels), images, args.labels.size(),
         args.logits.dim(args.logits.shape().rank() - 1), args.loss.kind == LossKind::cross_entropy,
         SmoothedTarget(args.loss.constant, args.logits.dim(args.logits.shape().rank() - 1)));
}

}  // namespace

void register_loss_forward_1_warp(OpRegistry& registry) {
  registry.add<LossForwardArgs>(
      {"warp", kDevice, [](const LossForwardArgs& args) { return is_plain_softmax(args); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
