// scale * H z' of every image's loss (LossCurvatureArgs), on a warp per image.
//
// A warp owns image i, then i + step, ...; its lane l owns classes l, l + 32, ..., as in
// loss_backward_1_warp.cu. A class depends on the others through sums over the warp, of p z', p e,
// p' e and p p'; each is formed from the logits again, because keeping p would take as many
// registers as there are classes. A lane reads no element of another lane, which is why the product
// may lie where z' does.
//
// Traffic: 12 C bytes per image. Work: two exponentials in double per logit for cross-entropy, five
// for the squared error. Latency bounds it at the size of a batch.
#include "kernels/loss/loss.h"
#include "kernels/loss/loss_operands.h"
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Returns the sum of f(c) over the classes, in every lane.
template <class F>
__device__ inline double sum_over_classes(int64_t C, int lane, const F& f) {
  double sum = 0;
  for (int64_t c = lane; c < C; c += kWarp) sum += f(c);
  return sum_over_warp(sum);
}

/// Kernel over the images; product may be the tangent.
__global__ void __launch_bounds__(kThreads)
    loss_curvature_kernel(float* product, const float* tangent, const float* __restrict__ logits,
                          const int32_t* __restrict__ labels, int64_t N, int64_t C,
                          bool cross_entropy, bool gauss_newton, double scale) {
  // This thread's warp owns images i, i + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < N; i += element_step() / kWarp) {
    const float* z = logits + i * C;
    const float* v = tangent + i * C;
    const int64_t label = labels[i];
    const Softmax softmax = softmax_of(z, C, lane);
    const double inverse = 1 / softmax.sum;
    const auto p = [&](int64_t c) { return exp(z[c] - softmax.maximum) * inverse; };
    const double mean = sum_over_classes(C, lane, [&](int64_t c) { return p(c) * v[c]; });
    const auto moved = [&](int64_t c) { return p(c) * (v[c] - mean); };  // p'
    const double share = 2 / static_cast<double>(C);
    const auto error = [&](int64_t c) { return share * (p(c) - (c == label ? 1 : 0)); };
    double mean_error = 0, moved_error = 0, mean_moved = 0;
    if (!cross_entropy) {
      mean_error = sum_over_classes(C, lane, [&](int64_t c) { return p(c) * error(c); });
      moved_error = sum_over_classes(C, lane, [&](int64_t c) { return moved(c) * error(c); });
      mean_moved = sum_over_classes(C, lane, [&](int64_t c) { return p(c) * moved(c); });
    }
    const bool is_class = 0 <= label && label < C;
    for (int64_t c = lane; c < C; c += kWarp) {
      double sum = moved(c);
      if (!cross_entropy) {
        const double first = share * p(c) * (moved(c) - mean_moved);
        const double second = moved(c) * (error(c) - mean_error) - p(c) * moved_error;
        sum = gauss_newton ? first : first + second;
      }
      product[i * C + c] = is_class ? static_cast<float>(scale * sum) : NAN;
    }
  }
}

void run(const LossCurvatureArgs& args, Context& context) {
  const int64_t N = args.labels.size();
  launch(loss_curvature_kernel, grid_for(N * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.product), pointer<float>(args.logits_tangent),
         pointer<float>(args.logits), pointer<int32_t>(args.labels), N, args.logits.dim(1),
         args.loss.kind == LossKind::cross_entropy, args.gauss_newton, args.scale);
}

}  // namespace

void register_loss_curvature_1_warp(OpRegistry& registry) {
  registry.add<LossCurvatureArgs>(
      {"warp", kDevice, [](const LossCurvatureArgs& args) { return is_plain_softmax(args); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
