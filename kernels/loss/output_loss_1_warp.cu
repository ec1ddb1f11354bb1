// Losses that are a mean over outputs of w[c] f(z[c], t[c]), with f' and f'' by z, s = sigmoid(z):
//   squared_error   (z - t)^2                2 (z - t)          2
//   absolute_error  |z - t|                  sign(z - t)        0
//   huber           (z - t)^2 / 2 or         z - t, between     1 or
//                   d (|z - t| - d / 2)      -d and d           0
//   bce             t softplus(-z) +         s - t              s (1 - s)
//                   (1 - t) softplus(z)
//   focal           F(softplus(-u)), u = z where t = 1, -z where t = 0, F of focal_terms.h; its
//                   derivatives by the chain rule
//
// A warp owns an image, its lane l outputs l, l + 32, ... (warp_loss.h). Outputs know nothing of one
// another: gradient and H v go element by element, and the loss alone is a sum over the warp.
//
// Traffic: 8 C bytes of logits and targets, 4 to 8 C of results. Work: 2 to 10 FLOP per output, two
// transcendental functions in double, some 40 FLOP, for bce, eight for focal. Latency bounds it at
// the size of a batch.
#include "kernels/loss/focal_terms.h"
#include "kernels/loss/warp_loss.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// f, f', f'' at one output; `convex` is the part of f'' that is never negative.
struct Terms {
  double value, slope, bend, convex;
};

struct SquaredError {
  static constexpr LossKind kKind = LossKind::squared_error;
  static constexpr bool kTellsRight = false;
  static __device__ Terms at(double z, double t, double) {
    return {(z - t) * (z - t), 2 * (z - t), 2, 2};
  }
};

struct AbsoluteError {
  static constexpr LossKind kKind = LossKind::absolute_error;
  static constexpr bool kTellsRight = false;
  static __device__ Terms at(double z, double t, double) {
    const double error = z - t;  // of NaN the sign is NaN
    return {fabs(error), error > 0 ? 1.0 : error < 0 ? -1.0 : error, 0, 0};
  }
};

struct Huber {
  static constexpr LossKind kKind = LossKind::huber;
  static constexpr bool kTellsRight = false;
  static __device__ Terms at(double z, double t, double delta) {
    const double error = z - t, size = fabs(error);
    if (size > delta) return {delta * (size - delta / 2), error > 0 ? delta : -delta, 0, 0};
    return {error * error / 2, error, 1, 1};
  }
};

/// log(1 + exp(x)) without overflow; of NaN NaN.
__device__ inline double softplus(double x) {
  return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}
/// 1 / (1 + exp(-x)); far below 0 the exponential is infinite, and the quotient 0.
__device__ inline double logistic(double x) {
  return 1 / (1 + exp(-x));
}

struct BinaryCrossEntropy {
  static constexpr LossKind kKind = LossKind::bce;
  static constexpr bool kTellsRight = true;
  static __device__ Terms at(double z, double t, double) {
    const double s = logistic(z), bend = s * logistic(-z);
    return {t * softplus(-z) + (1 - t) * softplus(z), s - t, bend, bend};
  }
};

struct BinaryFocal {
  static constexpr LossKind kKind = LossKind::focal;
  static constexpr bool kTellsRight = true;
  static __device__ Terms at(double z, double t, double gamma) {
    const double sign = t > 0.5 ? 1 : -1, u = sign * z;
    const FocalTerms f(softplus(-u), gamma);
    const double first = -sign * logistic(-u), second = logistic(u) * logistic(-u);
    return {f.value, f.slope * first, f.slope * second + f.bend * first * first, f.slope * second};
  }
};

template <class Term>
struct MeanOverOutputs {
  WarpImage image;
  __device__ explicit MeanOverOutputs(const WarpImage& of) : image(of) {}
  __device__ double target(int64_t c) const { return image.targets.number(image.n, c); }
  __device__ double share(int64_t c) const {
    return image.targets.weight(c) / static_cast<double>(image.C);
  }
  __device__ Terms terms(int64_t c) const {
    return Term::at(image.z[c], target(c), image.constant);
  }
  __device__ double value() const {
    return sum_over_outputs(image, [&](int64_t c) { return share(c) * terms(c).value; });
  }
  __device__ int32_t right() const {
    if (image.targets.labels) return wins(image, image.targets.labels[image.n]);
    if (!Term::kTellsRight) return -1;
    bool right = true;
    for (int64_t c = image.lane; c < image.C; c += kWarp)
      right = right && image.z[c] == image.z[c] && (image.z[c] > 0) == (target(c) > 0.5);
    return __all_sync(kAllLanes, right) != 0 ? 1 : 0;
  }
  struct Nothing {};  // that outputs share
  __device__ Nothing for_slopes() const { return {}; }
  __device__ double slope(Nothing, int64_t c) const { return share(c) * terms(c).slope; }
  __device__ Nothing along(const float*, bool) const { return {}; }
  __device__ double bend(Nothing, float v, int64_t c, bool gauss_newton) const {
    const Terms there = terms(c);
    return share(c) * (gauss_newton ? there.convex : there.bend) * v;
  }
};

template <class Term, class Args>
bool supports(const Args& args) {
  return all_f32(args.logits) && args.loss.kind == Term::kKind &&
         (Term::kKind != LossKind::focal || args.labels.dtype() == DType::f32);
}

template <class Term>
void add(OpRegistry& registry, const char* name) {
  using Formula = MeanOverOutputs<Term>;
  registry.add<LossForwardArgs>(
      {name, kDevice, supports<Term, LossForwardArgs>, run_warp_loss<Formula>});
  registry.add<LossBackwardArgs>(
      {name, kDevice, supports<Term, LossBackwardArgs>, run_warp_loss<Formula>});
  registry.add<LossCurvatureArgs>(
      {name, kDevice, supports<Term, LossCurvatureArgs>, run_warp_loss<Formula>});
}

}  // namespace

void register_output_loss_1_warp(OpRegistry& registry) {
  add<SquaredError>(registry, "squared_error");
  add<AbsoluteError>(registry, "absolute_error");
  add<Huber>(registry, "huber");
  add<BinaryCrossEntropy>(registry, "bce");
  add<BinaryFocal>(registry, "binary_focal");
}

}  // namespace topograd::TOPOGRAD_BACKEND
