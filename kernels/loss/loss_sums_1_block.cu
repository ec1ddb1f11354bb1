// sums[p] (+)= {sum of losses, sum of their squares, number correct} over the N images of point p,
// in double, in the order of loss_order.h: the bits of the CPU's implementations.
//
// Block p owns point p; its thread t owns images t, t + 256, ...: a partial sum of that order, and
// neighbouring threads read neighbouring losses. The partial sums meet in shared memory, 6 KB.
//
// Traffic: 8 bytes per image. Work: 4 operations per image in double; the square of a float is
// exact there. Latency bounds it: with 10,000 images a thread has 40 of them, then eight steps with
// a barrier each. One block per point uses few multiprocessors, and is still nothing beside the
// network that produced the losses.
#include "kernels/core/launch.h"
#include "kernels/loss/loss.h"
#include "kernels/loss/loss_order.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
static_assert(kThreads == kLossPartialSums, "a thread holds one partial sum");

__global__ void __launch_bounds__(kThreads)
    loss_sums_kernel(double* __restrict__ sums, const float* __restrict__ losses,
                     const int32_t* __restrict__ correct, int64_t N, bool accumulate) {
  // This thread owns images t, t + 256, ... of point blockIdx.x.
  __shared__ double loss[kThreads], square[kThreads], right[kThreads];
  const int t = static_cast<int>(threadIdx.x);
  const int64_t first = blockIdx.x * N;
  double own_loss = 0, own_square = 0, own_right = 0;
#pragma unroll 4  // loads under way before the first is added
  for (int64_t n = t; n < N; n += kThreads) {
    const double l = losses[first + n];
    own_loss += l;
    own_square += l * l;
    own_right += correct[first + n];
  }
  loss[t] = own_loss;
  square[t] = own_square;
  right[t] = own_right;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();  // the sums of the step before are complete before they are added
    if (t < half) {
      loss[t] += loss[t + half];
      square[t] += square[t + half];
      right[t] += right[t + half];
    }
  }
  if (t == 0) {  // which made the last three sums itself
    double* out = sums + 3 * blockIdx.x;
    out[0] = (accumulate ? out[0] : 0.0) + loss[0];
    out[1] = (accumulate ? out[1] : 0.0) + square[0];
    out[2] = (accumulate ? out[2] : 0.0) + right[0];
  }
}

void run(const LossSumsArgs& args, Context& context) {
  const int64_t P = args.losses.dim(0);
  if (P == 0) return;
  launch(loss_sums_kernel, dim3(static_cast<unsigned>(P)), dim3(kThreads), 0, context,
         pointer<double>(args.sums), pointer<float>(args.losses), pointer<int32_t>(args.correct),
         args.losses.dim(1), args.write == Write::accumulate);
}

}  // namespace

void register_loss_sums_1_block(OpRegistry& registry) {
  registry.add<LossSumsArgs>(
      {"block", kDevice, [](const LossSumsArgs& args) { return all_f32(args.losses); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
