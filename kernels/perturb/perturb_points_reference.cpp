// The formulas, point by point and filter by filter: the oracle.
#include <cmath>

#include "kernels/perturb/perturb_points.h"

namespace topograd {

namespace {

/// Returns element i of a vector at a point of the plane.
template <class T>
double moved(const Tensor& start, const Tensor& delta, const Tensor& eta, const double* ab,
             int64_t i) {
  double sum = start.data<T>()[i];
  if (delta.defined()) sum += ab[0] * static_cast<double>(delta.data<T>()[i]);
  if (eta.defined()) sum += ab[1] * static_cast<double>(eta.data<T>()[i]);
  return sum;
}

template <class T>
void fold(const PerturbPointsArgs& args, const FoldedFilter& f, int64_t p) {
  const int64_t P = args.coefficients.dim(0);
  const double* ab = args.coefficients.data<double>() + 2 * p;
  const auto theta = [&](int64_t i) { return moved<T>(args.theta, args.delta, args.eta, ab, i); };
  const auto running_stats = [&](int64_t i) {
    return moved<T>(args.running_stats, args.states_delta, args.states_eta, ab, i);
  };
  double scale = 1, bias = f.bias >= 0 ? theta(f.bias) : 0;
  if (f.variance >= 0) {
    const double gamma = f.gamma >= 0 ? theta(f.gamma) : 1, beta = f.gamma >= 0 ? theta(f.beta) : 0;
    scale = gamma / std::sqrt(running_stats(f.variance) + f.epsilon);
    bias = beta + scale * (bias - running_stats(f.mean));
  }
  T* weights = args.weights.data<T>() + P * f.layer_weights +
               (p * f.filters + f.filter) * static_cast<int64_t>(f.length);
  for (int64_t i = 0; i < f.length; ++i)
    weights[i] = static_cast<T>(f.weights < 0 ? scale : scale * theta(f.weights + i));
  args.biases.data<T>()[P * f.layer_bias + p * f.filters + f.filter] = static_cast<T>(bias);
}

void run(const PerturbPointsArgs& args, Context&) {
  with_real_type(args.theta.dtype(), [&](auto real) {
    const auto* filters = reinterpret_cast<const FoldedFilter*>(args.filters.data<int32_t>());
    for (int64_t p = 0; p < args.coefficients.dim(0); ++p)
      for (int64_t f = 0; f < args.filters.dim(0); ++f) fold<decltype(real)>(args, filters[f], p);
  });
}

}  // namespace

void register_perturb_points_reference(OpRegistry& registry) {
  registry.add<PerturbPointsArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
