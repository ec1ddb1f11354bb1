// The formulas, image by image in double: the oracle.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/loss/loss.h"
#include "kernels/loss/loss_order.h"
#include "kernels/vector/dot_order.h"

namespace topograd {

namespace {

/// Parts of log(sum of exp z) beside p = softmax(z): max z and log(sum of exp(z - max z)), kept
/// apart because their sum would lose the second beside a large first. NaN in z makes all of p and
/// the logarithm NaN.
struct LogSum {
  double maximum;
  double log_sum;
};
template <class T>
LogSum softmax(double* p, const T* z, int64_t C) {
  double maximum = -std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < C; ++c)
    if (z[c] > maximum) maximum = z[c];
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += p[c] = std::exp(z[c] - maximum);
  for (int64_t c = 0; c < C; ++c) p[c] /= sum;
  return {maximum, std::log(sum)};
}

/// Returns the sum of q[c] (z[c] - maximum); without smoothing the label's term alone, so that a
/// logit of -inf elsewhere, 0 times infinity, does no harm.
template <class T>
double target_logit(const T* z, double maximum, int32_t label, double smoothing, int64_t C) {
  if (smoothing == 0) return z[label] - maximum;
  const SmoothedTarget q(smoothing, C);
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += (c == label ? q.label : q.other) * (z[c] - maximum);
  return sum;
}

template <class T>
bool label_wins(const T* z, int64_t C, int64_t label) {
  int64_t best = 0;
  for (int64_t c = 0; c < C; ++c) {
    if (std::isnan(z[c])) return false;
    if (z[c] > z[best]) best = c;
  }
  return best == label;
}

double* class_scratch(Context& context, int64_t C) {
  return static_cast<double*>(context.workspace(C * static_cast<int64_t>(sizeof(double))));
}

/// The target of one image: its class, or a number for each output.
struct Target {
  int32_t label;         ///< -1 where there are numbers
  const float* numbers;  ///< nullptr where there is a class
  double operator[](int64_t c) const {
    return numbers ? static_cast<double>(numbers[c]) : (c == label ? 1.0 : 0.0);
  }
};

Target target_of(const Tensor& labels, int64_t image) {
  if (labels.dtype() == DType::f32) return {-1, labels.data<float>() + image * labels.dim(1)};
  return {labels.data<int32_t>()[image], nullptr};
}

double weight_of(const Loss& loss, int64_t c) {
  return loss.class_weights.defined() ? loss.class_weights.data<double>()[c] : 1.0;
}

/// The cross-entropy as sum of a (log sum of exp z - z): coefficients a = w q and their sum.
double coefficient(const Loss& loss, const Target& target, int64_t c, int64_t C) {
  const double e = loss.constant;
  return weight_of(loss, c) * ((1 - e) * target[c] + e / static_cast<double>(C));
}
double coefficients_of(double* a, const Loss& loss, const Target& target, int64_t C) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += a[c] = coefficient(loss, target, c, C);
  return sum;
}

/// f(l) = (1 - exp(-l))^g l, the focal loss as a function of the cross-entropy, and its derivatives.
struct FocalTerms {
  FocalTerms(double l, double g) {
    const double m = -std::expm1(-l), e = std::exp(-l);
    const double tail = m == 0 ? 1 : e == 0 ? 0 : e * l / m;  // l may be infinite where e is 0
    value = std::pow(m, g) * l;
    slope = std::pow(m, g) * (1 + g * tail);
    // Where m is 0, m^(g - 1) may be infinite, and the gradient whose square this multiplies is 0.
    bend = m == 0 || e == 0 ? 0 : g * std::pow(m, g - 1) * (e * (2 - l) + (g - 1) * e * tail);
  }
  double value, slope, bend;
};

/// log(1 + exp(x)) without overflow.
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double logistic(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

/// A loss that is a mean over outputs, at one of them: its value and derivatives by z. `convex` is
/// the part of the second derivative that is never negative.
struct OutputTerms {
  double value, slope, bend, convex;
};
OutputTerms output_terms(const Loss& loss, double z, double t) {
  const double error = z - t, size = std::abs(error), delta = loss.constant;
  switch (loss.kind) {
    case LossKind::squared_error:
      return {error * error, 2 * error, 2, 2};
    case LossKind::absolute_error: {
      const double sign = error > 0 ? 1 : error < 0 ? -1 : error;
      return {size, sign, 0, 0};
    }
    case LossKind::huber:
      if (size > delta) return {delta * (size - delta / 2), error > 0 ? delta : -delta, 0, 0};
      return {error * error / 2, error, 1, 1};
    case LossKind::bce: {
      const double s = logistic(z), bend = s * logistic(-z);
      // -t log s - (1 - t) log(1 - s): either logarithm without cancellation.
      return {t * softplus(-z) + (1 - t) * softplus(z), s - t, bend, bend};
    }
    default:
      break;
  }
  // focal, of a target that is 0 or 1: f of the cross-entropy log(1 + exp(-u)), u = z or -z.
  const double sign = t > 0.5 ? 1 : -1, u = sign * z;
  const FocalTerms f(softplus(-u), loss.constant);
  const double first = -sign * logistic(-u), second = logistic(u) * logistic(-u);
  return {f.value, f.slope * first, f.slope * second + f.bend * first * first, f.slope * second};
}

bool is_of_outputs(const Loss& loss, const Target& target) {
  return !tells_right_from_wrong(loss.kind) || loss.kind == LossKind::bce ||
         (loss.kind == LossKind::focal && target.numbers);
}
bool is_hinge(const Loss& loss) {
  return loss.kind == LossKind::hinge || loss.kind == LossKind::squared_hinge;
}

/// Returns how far class c is within the margin of the label, 0 where it is not.
template <class T>
double overlap(const Loss& loss, const T* z, int64_t c, int32_t label) {
  if (c == label) return 0;
  const double h = loss.constant - static_cast<double>(z[label]) + static_cast<double>(z[c]);
  return h > 0 || std::isnan(h) ? h : 0;
}

template <class T>
bool comes_before(const T* z, int64_t c, int64_t label) {
  return c < label ? !(z[c] < z[label]) : !(z[c] <= z[label]);
}

/// A measure of one image; NaN where a logit is.
template <class T>
double measure(const Loss& loss, const double* p, const T* z, int32_t label, int64_t C) {
  int64_t before = 0;
  double other = -std::numeric_limits<double>::infinity(), largest = 0;
  for (int64_t c = 0; c < C; ++c) {
    if (std::isnan(p[c])) return std::numeric_limits<double>::quiet_NaN();
    largest = std::max(largest, p[c]);
    if (c == label) continue;
    if (comes_before(z, c, label)) ++before;
    other = std::max<double>(other, z[c]);
  }
  if (loss.kind == LossKind::top_k) return static_cast<double>(before) < loss.constant ? 1 : 0;
  if (loss.kind == LossKind::confidence) return largest;
  if (loss.kind == LossKind::margin) return static_cast<double>(z[label]) - other;
  const double bin = std::ceil(largest * kCalibrationBins) - 1;
  return bin == loss.constant ? largest - (before == 0 ? 1 : 0) : 0;
}

/// Returns LossForwardArgs::correct.
template <class T>
int32_t is_right(const Loss& loss, const T* z, const Target& target, int64_t C) {
  if (!target.numbers) return label_wins(z, C, target.label) ? 1 : 0;
  if (!tells_right_from_wrong(loss.kind)) return -1;
  if (loss.kind == LossKind::cross_entropy)
    return label_wins(z, C, std::max_element(target.numbers, target.numbers + C) - target.numbers)
               ? 1
               : 0;
  for (int64_t c = 0; c < C; ++c)
    if (std::isnan(z[c]) || (z[c] > 0) != (target[c] > 0.5)) return 0;
  return 1;
}

/// Returns the loss of one image; p is scratch.
template <class T>
double loss_of(const Loss& loss, double* p, const T* z, const Target& target, int64_t C) {
  const double share = 1 / static_cast<double>(C);
  double sum = 0;
  if (is_of_outputs(loss, target)) {
    for (int64_t c = 0; c < C; ++c)
      sum += weight_of(loss, c) * output_terms(loss, z[c], target[c]).value;
    return sum * share;
  }
  if (is_hinge(loss)) {
    for (int64_t c = 0; c < C; ++c) {
      const double h = overlap(loss, z, c, target.label);
      sum += loss.kind == LossKind::hinge ? h : h * h;
    }
    return weight_of(loss, target.label) * sum * share;
  }
  const auto [maximum, log_sum] = softmax(p, z, C);
  if (is_measure(loss.kind)) return measure(loss, p, z, target.label, C);
  if (loss.kind == LossKind::mse) {
    for (int64_t c = 0; c < C; ++c) {
      const double error = p[c] - target[c];
      sum += error * error / static_cast<double>(C);
    }
    return sum;
  }
  if (loss.kind == LossKind::focal)
    return weight_of(loss, target.label) *
           FocalTerms(log_sum - (z[target.label] - maximum), loss.constant).value;
  if (!target.numbers && !loss.class_weights.defined())
    return log_sum - target_logit(z, maximum, target.label, loss.constant, C);
  for (int64_t c = 0; c < C; ++c)  // a class without weight may have a logit of -inf
    if (const double a = coefficient(loss, target, c, C); a != 0)
      sum += a * (log_sum - (z[c] - maximum));
  return sum;
}

void forward(const LossForwardArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t N = args.labels.dim(0), C = args.logits.dim(args.logits.shape().rank() - 1);
    double* p = class_scratch(context, C);
    for (int64_t i = 0; i < args.losses.size(); ++i) {
      const Target target = target_of(args.labels, i % N);
      const T* z = args.logits.data<T>() + i * C;
      args.losses.data<T>()[i] = static_cast<T>(loss_of(args.loss, p, z, target, C));
      if (args.correct.defined())
        args.correct.data<int32_t>()[i] = is_right(args.loss, z, target, C);
    }
  });
}

/// Writes the gradient of one image's loss to dz; p is scratch. cross_entropy: A p - a, of a class
/// without weights p - q. mse: 2/C * p[j] * (e[j] - sum of p e), e = p - t.
template <class T>
void gradient_of(double* dz, const Loss& loss, double* p, const T* z, const Target& target,
                 int64_t C) {
  const double share = 1 / static_cast<double>(C);
  if (is_of_outputs(loss, target)) {
    for (int64_t c = 0; c < C; ++c)
      dz[c] = share * weight_of(loss, c) * output_terms(loss, z[c], target[c]).slope;
    return;
  }
  if (is_hinge(loss)) {
    double sum = 0;
    for (int64_t c = 0; c < C; ++c) {
      const double h = overlap(loss, z, c, target.label);
      dz[c] = share * weight_of(loss, target.label) *
              (loss.kind == LossKind::squared_hinge ? 2 * h
               : h > 0                              ? 1
                                                    : h);
      sum += dz[c];
    }
    dz[target.label] = -sum;
    return;
  }
  const auto [maximum, log_sum] = softmax(p, z, C);
  if (loss.kind == LossKind::mse) {
    double mean_error = 0;
    for (int64_t c = 0; c < C; ++c) mean_error += p[c] * (p[c] - target[c]);
    for (int64_t c = 0; c < C; ++c)
      dz[c] = 2 * p[c] * (p[c] - target[c] - mean_error) / static_cast<double>(C);
    return;
  }
  if (loss.kind == LossKind::focal) {
    const double slope = weight_of(loss, target.label) *
                         FocalTerms(log_sum - (z[target.label] - maximum), loss.constant).slope;
    for (int64_t c = 0; c < C; ++c) dz[c] = slope * (p[c] - target[c]);
    return;
  }
  if (!target.numbers && !loss.class_weights.defined()) {
    const SmoothedTarget q(loss.constant, C);
    for (int64_t c = 0; c < C; ++c) dz[c] = p[c] - (c == target.label ? q.label : q.other);
    return;
  }
  const double sum = coefficients_of(dz, loss, target, C);
  for (int64_t c = 0; c < C; ++c) dz[c] = sum * p[c] - dz[c];
}

void backward(const LossBackwardArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.logits.dim(1);
    double *p = class_scratch(context, 2 * C), *dz = p + C;
    for (int64_t n = 0; n < args.logits.dim(0); ++n) {
      gradient_of(dz, args.loss, p, args.logits.data<T>() + n * C, target_of(args.labels, n), C);
      T* out = args.dlogits.data<T>() + n * C;
      for (int64_t c = 0; c < C; ++c) out[c] = static_cast<T>(args.scale * dz[c]);
    }
  });
}

/// Computes J v = p * v - p (p . v), the softmax's Jacobian times a vector. out may be v.
void softmax_jacobian(double* out, const double* p, const double* v, int64_t C) {
  double mean = 0;
  for (int64_t c = 0; c < C; ++c) mean += p[c] * v[c];
  for (int64_t c = 0; c < C; ++c) out[c] = p[c] * (v[c] - mean);
}

/// Sets out = H v of mse: with p' = J v and e = 2 (p - t) / C, J (2 p' / C), and, unless
/// `gauss_newton`, p' * e - p' (p . e) - p (p' . e) besides. moved is scratch.
void curvature_of_mse(double* out, double* moved, const double* p, const Target& target,
                      bool gauss_newton, int64_t C) {
  const double share = 2 / static_cast<double>(C);
  const auto error = [&](int64_t c) { return share * (p[c] - target[c]); };
  softmax_jacobian(moved, p, out, C);
  double mean_error = 0, mean_moved = 0;
  for (int64_t c = 0; c < C; ++c) mean_error += p[c] * error(c);
  for (int64_t c = 0; c < C; ++c) mean_moved += moved[c] * error(c);
  for (int64_t c = 0; c < C; ++c) out[c] = share * moved[c];
  softmax_jacobian(out, p, out, C);
  if (gauss_newton) return;
  for (int64_t c = 0; c < C; ++c) out[c] += moved[c] * (error(c) - mean_error) - p[c] * mean_moved;
}

/// Replaces v by H v of one image's loss; p, of 2 C doubles, is scratch.
template <class T>
void curvature_of(double* v, const Loss& loss, bool gauss_newton, double* p, const T* z,
                  const Target& target, int64_t C) {
  const double share = 1 / static_cast<double>(C);
  if (is_of_outputs(loss, target)) {
    for (int64_t c = 0; c < C; ++c) {
      const OutputTerms terms = output_terms(loss, z[c], target[c]);
      v[c] *= share * weight_of(loss, c) * (gauss_newton ? terms.convex : terms.bend);
    }
    return;
  }
  if (is_hinge(loss)) {
    const double bend =
        loss.kind == LossKind::hinge ? 0 : 2 * share * weight_of(loss, target.label);
    const double own = v[target.label];
    double sum = 0;
    for (int64_t c = 0; c < C; ++c) {
      const double h = overlap(loss, z, c, target.label);
      v[c] = h > 0 ? bend * (v[c] - own) : bend * h;
      sum += v[c];
    }
    v[target.label] = -sum;
    return;
  }
  const auto [maximum, log_sum] = softmax(p, z, C);
  if (loss.kind == LossKind::mse) return curvature_of_mse(v, p + C, p, target, gauss_newton, C);
  if (loss.kind == LossKind::focal) {
    const FocalTerms f(log_sum - (z[target.label] - maximum), loss.constant);
    const double weight = weight_of(loss, target.label);
    double along = 0;  // g . v, g = p - t the cross-entropy's gradient
    for (int64_t c = 0; c < C; ++c) along += (p[c] - target[c]) * v[c];
    const double second = gauss_newton ? 0 : weight * f.bend * along;
    softmax_jacobian(v, p, v, C);
    for (int64_t c = 0; c < C; ++c) v[c] = weight * f.slope * v[c] + second * (p[c] - target[c]);
    return;
  }
  softmax_jacobian(v, p, v, C);
  if (!target.numbers && !loss.class_weights.defined()) return;
  const double sum = coefficients_of(p + C, loss, target, C);
  for (int64_t c = 0; c < C; ++c) v[c] *= sum;
}

void curvature(const LossCurvatureArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.logits.dim(1);
    double *p = class_scratch(context, 3 * C), *v = p + 2 * C;
    for (int64_t n = 0; n < args.logits.dim(0); ++n) {
      std::copy_n(args.logits_tangent.data<T>() + n * C, C, v);
      curvature_of(v, args.loss, args.gauss_newton, p, args.logits.data<T>() + n * C,
                   target_of(args.labels, n), C);
      T* out = args.product.data<T>() + n * C;
      for (int64_t c = 0; c < C; ++c) out[c] = static_cast<T>(args.scale * v[c]);
    }
  });
}

template <class T>
void sums_of_point(double* sums, const T* losses, const int32_t* correct, int64_t N) {
  double loss[kLossPartialSums] = {}, square[kLossPartialSums] = {};
  for (int64_t n = 0; n < N; ++n) {
    const double l = losses[n];
    loss[n % kLossPartialSums] += l;
    square[n % kLossPartialSums] += l * l;
    sums[2] += correct[n];
  }
  sums[0] += sum_of_partial_sums<kLossPartialSums / 2>(loss);
  sums[1] += sum_of_partial_sums<kLossPartialSums / 2>(square);
}

void sums(const LossSumsArgs& args, Context&) {
  with_real_type(args.losses.dtype(), [&](auto real) {
    const int64_t N = args.losses.dim(1);
    for (int64_t p = 0; p < args.losses.dim(0); ++p) {
      double* sums = args.sums.data<double>() + 3 * p;
      if (args.write == Write::overwrite) std::fill_n(sums, 3, 0.0);
      sums_of_point(sums, args.losses.data<decltype(real)>() + p * N,
                    args.correct.data<int32_t>() + p * N, N);
    }
  });
}

}  // namespace

void register_loss_reference(OpRegistry& registry) {
  registry.add<LossForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<LossBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<LossCurvatureArgs>({"reference", Device::cpu, supports_all, curvature});
  registry.add<LossSumsArgs>({"reference", Device::cpu, supports_all, sums});
}

}  // namespace topograd
