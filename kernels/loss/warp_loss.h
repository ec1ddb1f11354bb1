// The frame of a loss whose formula is a functor: a warp owns an image, a lane every 32nd output.
//
// A formula is made once per image, from its logits z [C] and its targets, by all lanes together:
//   Formula(const WarpImage& image)   forms what everything below needs
//   double value() const              the loss, the same in every lane
//   int32_t right() const             LossForwardArgs::correct
//   Sums for_slopes() const           what the slopes share, by sums over the warp
//   double slope(Sums, int64_t c)     d loss / d z[c]
//   Sums along(const float* v, bool)  what the outputs share of H v, or of Gauss-Newton's part
//   double bend(Sums, float v, int64_t c, bool)   (H v)[c]
// Every lane reads the logits, and tangents, of its own outputs alone, and gets what others
// contribute by shuffles: results may lie where they do, without a barrier. One output's number, z[y],
// comes to all lanes by number_of(), a sum to which its owner alone adds: a shuffle does not order
// what lanes read and write.
#pragma once

#include "kernels/core/warp_sum.h"
#include "kernels/loss/loss_operands.h"

namespace topograd::TOPOGRAD_BACKEND {

/// One image as its warp sees it.
struct WarpImage {
  const float* z;
  const LossTargets& targets;
  int64_t n, C;
  double constant;  ///< the loss's
  int lane;
};

/// Returns the sum of f(c) over the outputs, in every lane.
template <class F>
__device__ inline double sum_over_outputs(const WarpImage& image, const F& f) {
  double sum = 0;
  for (int64_t c = image.lane; c < image.C; c += kWarp) sum += f(c);
  return sum_over_warp(sum);
}

/// Returns numbers[c], read by the lane that owns output c, in every lane.
__device__ inline double number_of(const WarpImage& image, const float* numbers, int64_t c) {
  return sum_over_outputs(image, [&](int64_t i) { return i == c ? double{numbers[i]} : 0.0; });
}

/// Whether class `label` is the first of the largest logits, and none is NaN; in every lane.
__device__ inline int32_t wins(const WarpImage& image, int64_t label) {
  bool won = true;
  for (int64_t c = image.lane; c < image.C; c += kWarp)
    won = won && (c < label ? image.z[c] < image.z[label] : image.z[c] <= image.z[label]);
  return __all_sync(kAllLanes, won) != 0 ? 1 : 0;
}

constexpr int kLossThreads = 256;

template <class Formula>
__global__ void __launch_bounds__(kLossThreads)
    warp_loss_forward(float* __restrict__ losses, int32_t* __restrict__ correct,
                      const float* __restrict__ logits, LossTargets targets, int64_t images,
                      double constant) {
  // This thread's warp owns images i, i + warps of the grid, ...; P networks saw the same N images.
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < images; i += element_step() / kWarp) {
    const WarpImage image{
        logits + i * targets.C, targets, i % targets.N, targets.C, constant, lane};
    double loss = NAN;
    int32_t right = 0;
    if (targets.is_valid(image.n)) {  // for all lanes alike
      const Formula formula(image);
      loss = formula.value();
      right = formula.right();
    }
    if (lane == 0) {
      losses[i] = static_cast<float>(loss);
      if (correct) correct[i] = right;
    }
  }
}

template <class Formula>
__global__ void __launch_bounds__(kLossThreads)
    warp_loss_backward(float* dlogits, const float* logits, LossTargets targets, double constant,
                       double scale) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < targets.N; i += element_step() / kWarp) {
    const WarpImage image{logits + i * targets.C, targets, i, targets.C, constant, lane};
    float* out = dlogits + i * targets.C;
    if (!targets.is_valid(i)) {
      for (int64_t c = lane; c < targets.C; c += kWarp) out[c] = NAN;
      continue;
    }
    const Formula formula(image);
    const auto shared = formula.for_slopes();
    for (int64_t c = lane; c < targets.C; c += kWarp)
      out[c] = static_cast<float>(scale * formula.slope(shared, c));
  }
}

template <class Formula>
__global__ void __launch_bounds__(kLossThreads)
    warp_loss_curvature(float* product, const float* tangents, const float* __restrict__ logits,
                        LossTargets targets, double constant, bool gauss_newton, double scale) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t i = first_element() / kWarp; i < targets.N; i += element_step() / kWarp) {
    const WarpImage image{logits + i * targets.C, targets, i, targets.C, constant, lane};
    const float* v = tangents + i * targets.C;
    float* out = product + i * targets.C;
    if (!targets.is_valid(i)) {
      for (int64_t c = lane; c < targets.C; c += kWarp) out[c] = NAN;
      continue;
    }
    const Formula formula(image);
    const auto shared = formula.along(v, gauss_newton);
    for (int64_t c = lane; c < targets.C; c += kWarp)
      out[c] = static_cast<float>(scale * formula.bend(shared, v[c], c, gauss_newton));
  }
}

template <class Formula>
void run_warp_loss(const LossForwardArgs& args, Context& context) {
  const int64_t images = args.losses.size();
  launch(warp_loss_forward<Formula>, grid_for(images * kWarp, kLossThreads), dim3(kLossThreads), 0,
         context, pointer<float>(args.losses),
         args.correct.defined() ? pointer<int32_t>(args.correct) : nullptr,
         pointer<float>(args.logits), targets_of(args), images, args.loss.constant);
}

template <class Formula>
void run_warp_loss(const LossBackwardArgs& args, Context& context) {
  launch(warp_loss_backward<Formula>, grid_for(args.logits.dim(0) * kWarp, kLossThreads),
         dim3(kLossThreads), 0, context, pointer<float>(args.dlogits), pointer<float>(args.logits),
         targets_of(args), args.loss.constant, args.scale);
}

template <class Formula>
void run_warp_loss(const LossCurvatureArgs& args, Context& context) {
  launch(warp_loss_curvature<Formula>, grid_for(args.logits.dim(0) * kWarp, kLossThreads),
         dim3(kLossThreads), 0, context, pointer<float>(args.product),
         pointer<float>(args.logits_tangent), pointer<float>(args.logits), targets_of(args),
         args.loss.constant, args.gauss_newton, args.scale);
}

}  // namespace topograd::TOPOGRAD_BACKEND
