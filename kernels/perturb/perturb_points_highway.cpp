// Weights of several points in vector code, in double lanes and in the same order: the reference's
// bits. Compiled without contraction into fused multiply-adds (see kernels/CMakeLists.txt). 16
// bytes per element and point move; the square root and the division are a filter's, not an
// element's.
#include <cmath>

#include "kernels/perturb/perturb_points.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/perturb/perturb_points_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

#ifndef TOPOGRAD_PERTURB_POINTS
#define TOPOGRAD_PERTURB_POINTS
namespace topograd {

/// A vector of the network and its directions at a point of the plane; null directions do not move
/// it.
struct Moved {
  const float *start, *delta, *eta;
  double a, b;

  Moved(const Tensor& start_, const Tensor& delta_, const Tensor& eta_, const double* ab)
      : start(start_.data<float>()),
        delta(delta_.defined() ? delta_.data<float>() : nullptr),
        eta(eta_.defined() ? eta_.data<float>() : nullptr),
        a(ab[0]),
        b(ab[1]) {}

  double at(int64_t i) const {
    double sum = start[i];
    if (delta) sum += a * static_cast<double>(delta[i]);
    if (eta) sum += b * static_cast<double>(eta[i]);
    return sum;
  }
};

}  // namespace topograd
#endif  // TOPOGRAD_PERTURB_POINTS

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sets weights[i] = scale * v[first + i] for i < length.
template <bool kHasDelta, bool kHasEta>
HWY_INLINE void scale_loop(float* weights, const Moved& v, int64_t first, int64_t length,
                           double scale) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto load = [&](const float* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(half, p)); };
  const auto a = hn::Set(d, v.a), b = hn::Set(d, v.b), s = hn::Set(d, scale);
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    auto sum = load(v.start + first + i);
    if constexpr (kHasDelta) sum = hn::Add(sum, hn::Mul(a, load(v.delta + first + i)));
    if constexpr (kHasEta) sum = hn::Add(sum, hn::Mul(b, load(v.eta + first + i)));
    hn::StoreU(hn::DemoteTo(half, hn::Mul(s, sum)), half, weights + i);
  }
  for (; i < length; ++i) weights[i] = static_cast<float>(scale * v.at(first + i));
}

void scale_filter(float* weights, const Moved& v, int64_t first, int64_t length, double scale) {
  if (v.delta && v.eta)
    scale_loop<true, true>(weights, v, first, length, scale);
  else if (v.delta)
    scale_loop<true, false>(weights, v, first, length, scale);
  else if (v.eta)
    scale_loop<false, true>(weights, v, first, length, scale);
  else
    scale_loop<false, false>(weights, v, first, length, scale);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

namespace {

HWY_EXPORT(scale_filter);

void fold(const PerturbPointsArgs& args, const FoldedFilter& f, const Moved& theta,
          const Moved& running_stats, int64_t p) {
  const int64_t P = args.coefficients.dim(0);
  double scale = 1, bias = f.bias >= 0 ? theta.at(f.bias) : 0;
  if (f.variance >= 0) {
    const bool affine = f.gamma >= 0;
    const double gamma = affine ? theta.at(f.gamma) : 1, beta = affine ? theta.at(f.beta) : 0;
    scale = gamma / std::sqrt(running_stats.at(f.variance) + f.epsilon);
    bias = beta + scale * (bias - running_stats.at(f.mean));
  }
  float* weights = args.weights.data<float>() + P * f.layer_weights +
                   (p * f.filters + f.filter) * static_cast<int64_t>(f.length);
  if (f.weights < 0)
    std::fill_n(weights, f.length, static_cast<float>(scale));
  else
    HWY_DYNAMIC_DISPATCH(scale_filter)(weights, theta, f.weights, f.length, scale);
  args.biases.data<float>()[P * f.layer_bias + p * f.filters + f.filter] = static_cast<float>(bias);
}

void run(const PerturbPointsArgs& args, Context&) {
  const auto* filters = reinterpret_cast<const FoldedFilter*>(args.filters.data<int32_t>());
  for (int64_t p = 0; p < args.coefficients.dim(0); ++p) {
    const double* ab = args.coefficients.data<double>() + 2 * p;
    const Moved theta(args.theta, args.delta, args.eta, ab);
    const Moved running_stats(args.running_stats, args.states_delta, args.states_eta, ab);
    for (int64_t f = 0; f < args.filters.dim(0); ++f)
      fold(args, filters[f], theta, running_stats, p);
  }
}

}  // namespace

void register_perturb_points_highway(OpRegistry& registry) {
  registry.add<PerturbPointsArgs>(
      {"highway", Device::cpu,
       [](const PerturbPointsArgs& a) { return a.theta.dtype() == DType::f32; }, run});
}

}  // namespace topograd
#endif  // HWY_ONCE
