// The weights of P points at once: theta, delta and eta read once, P sets written, BatchNorm folded
// in (see perturb_points.h for the formulas).
//
// A block owns one filter; its thread t owns elements t, t + 128, ... of it, for all points. First
// the block's first threads form a point's scale and bias each, kPoints points at a time, and leave
// the scales in shared memory, 768 bytes; then each element is loaded from its three vectors
// (theta, delta, eta) and written once per point.
//
// A filter of a CIFAR network has 27 to 4608 elements, neighbours in memory: loads and stores of a
// warp are whole lines. Traffic: 12 + 4 P bytes per element, against 16 P for P separate
// perturbations, and 8 P more for folding BatchNorm in afterwards (from 33 points on, an element is
// read again for every 32 of them, from the cache). Work: 5 P FLOP in double and P conversions per
// element. Memory bounds it where double runs at half the speed of float.
//
// __dmul_rn and __dadd_rn keep the compiler from fusing a product with a sum: the bits are those of
// every other implementation.
#include "kernels/core/launch.h"
#include "kernels/perturb/perturb_points.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;
constexpr int kPoints = 32;  // points whose scales are in shared memory at a time
static_assert(kPoints <= kThreads, "a thread forms the scale of at most one point");

/// A vector and the two directions it moves along; a null direction does not move it.
struct Moving {
  const float* start;
  const float* delta;
  const float* eta;
};

/// Returns an element at the point (a, b); a term whose direction is absent is left out.
__device__ inline double moved(double start, bool has_delta, double a, double delta, bool has_eta,
                               double b, double eta) {
  if (has_delta) start = __dadd_rn(start, __dmul_rn(a, delta));
  if (has_eta) start = __dadd_rn(start, __dmul_rn(b, eta));
  return start;
}
__device__ inline double moved(const Moving& v, double a, double b, int64_t i) {
  return moved(v.start[i], v.delta, a, v.delta ? v.delta[i] : 0, v.eta, b, v.eta ? v.eta[i] : 0);
}

/// Factor of a filter at one point, and its bias.
struct ScaleAndBias {
  double scale, bias;
};
__device__ inline ScaleAndBias fold(const FoldedFilter& f, const Moving& theta,
                                    const Moving& running_stats, double a, double b) {
  const double bias = f.bias >= 0 ? moved(theta, a, b, f.bias) : 0.0;
  if (f.variance < 0) return {1.0, bias};
  const bool affine = f.gamma >= 0;
  const double gamma = affine ? moved(theta, a, b, f.gamma) : 1.0;
  const double beta = affine ? moved(theta, a, b, f.beta) : 0.0;
  const double scale = gamma / sqrt(moved(running_stats, a, b, f.variance) + f.epsilon);
  const double shift = __dmul_rn(scale, bias - moved(running_stats, a, b, f.mean));
  return {scale, __dadd_rn(beta, shift)};
}

__global__ void __launch_bounds__(kThreads)
    perturb_points_kernel(float* __restrict__ weights, float* __restrict__ biases, Moving theta,
                          Moving running_stats, const double* __restrict__ coefficients,
                          const FoldedFilter* __restrict__ filters, int64_t P) {
  // This thread owns elements t, t + 128, ... of its block's filter, at all points.
  const int t = static_cast<int>(threadIdx.x);
  const FoldedFilter f = filters[blockIdx.x];
  __shared__ double a[kPoints], b[kPoints], scale[kPoints];
  for (int64_t first = 0; first < P; first += kPoints) {
    const int points = static_cast<int>(P - first < kPoints ? P - first : kPoints);
    if (t < points) {
      const int64_t p = first + t;
      a[t] = coefficients[2 * p];
      b[t] = coefficients[2 * p + 1];
      const ScaleAndBias folded = fold(f, theta, running_stats, a[t], b[t]);
      scale[t] = folded.scale;
      biases[P * f.layer_bias + p * f.filters + f.filter] = static_cast<float>(folded.bias);
    }
    __syncthreads();  // the scales are complete before any thread uses them
    float* out = weights + P * f.layer_weights +
                 (first * f.filters + f.filter) * static_cast<int64_t>(f.length);
    const int64_t point_step = static_cast<int64_t>(f.filters) * f.length;
    for (int64_t i = t; i < f.length; i += kThreads) {
      const bool filter = f.weights >= 0;  // else a BatchNorm alone: the number 1, which stays
      const bool has_delta = filter && theta.delta, has_eta = filter && theta.eta;
      const double start = filter ? theta.start[f.weights + i] : 1.0;
      const double delta = has_delta ? theta.delta[f.weights + i] : 0.0;
      const double eta = has_eta ? theta.eta[f.weights + i] : 0.0;
#pragma unroll 2  // stores wait for nothing; more copies of the loop would cost registers
      for (int p = 0; p < points; ++p) {
        const double weight = moved(start, has_delta, a[p], delta, has_eta, b[p], eta);
        out[p * point_step + i] = static_cast<float>(__dmul_rn(scale[p], weight));
      }
    }
    __syncthreads();  // all threads have read the scales before the next points' replace them
  }
}

void run(const PerturbPointsArgs& args, Context& context) {
  const int64_t filters = args.filters.dim(0);
  if (filters == 0) return;
  launch(perturb_points_kernel, dim3(static_cast<unsigned>(filters)), dim3(kThreads), 0, context,
         pointer<float>(args.weights), pointer<float>(args.biases),
         Moving{pointer<float>(args.theta), pointer<float>(args.delta), pointer<float>(args.eta)},
         Moving{pointer<float>(args.running_stats), pointer<float>(args.states_delta),
                pointer<float>(args.states_eta)},
         pointer<double>(args.coefficients),
         reinterpret_cast<const FoldedFilter*>(pointer<int32_t>(args.filters)),
         args.coefficients.dim(0));
}

}  // namespace

void register_perturb_points_1_filter(OpRegistry& registry) {
  registry.add<PerturbPointsArgs>(
      {"filter", kDevice, [](const PerturbPointsArgs& args) { return all_f32(args.theta); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
