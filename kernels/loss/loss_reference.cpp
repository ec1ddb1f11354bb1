// The formulas, image by image in double: the oracle.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/loss/loss_order.h"
#include "kernels/loss/loss.h"
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

void forward(const LossForwardArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t N = args.labels.size(), C = args.logits.dim(args.logits.shape().rank() - 1);
    double* p = class_scratch(context, C);
    for (int64_t i = 0; i < args.losses.size(); ++i) {
      const int32_t label = args.labels.data<int32_t>()[i % N];
      const T* z = args.logits.data<T>() + i * C;
      const auto [maximum, log_sum] = softmax(p, z, C);
      double loss = log_sum - target_logit(z, maximum, label, args.label_smoothing, C);
      if (args.kind == LossKind::mse) {
        loss = 0;
        for (int64_t c = 0; c < C; ++c) {
          const double error = p[c] - (c == label ? 1 : 0);
          loss += error * error / static_cast<double>(C);
        }
      }
      args.losses.data<T>()[i] = static_cast<T>(loss);
      if (args.correct.defined()) args.correct.data<int32_t>()[i] = label_wins(z, C, label) ? 1 : 0;
    }
  });
}

/// Computes, for cross_entropy, dz = p - q, q = t without smoothing; for mse, dz[j] = 2/C * p[j] *
/// (e[j] - sum of p e), e = p - t.
void backward(const LossBackwardArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.logits.dim(1);
    double* p = class_scratch(context, C);
    const int32_t* labels = args.labels.data<int32_t>();
    const SmoothedTarget q(args.label_smoothing, C);
    for (int64_t n = 0; n < args.logits.dim(0); ++n) {
      T* dz = args.dlogits.data<T>() + n * C;
      softmax(p, args.logits.data<T>() + n * C, C);
      const auto error = [&](int64_t c) { return p[c] - (c == labels[n] ? q.label : q.other); };
      double mean_error = 0;
      for (int64_t c = 0; c < C; ++c) mean_error += p[c] * error(c);
      for (int64_t c = 0; c < C; ++c) {
        const double slope = args.kind == LossKind::cross_entropy
                                 ? error(c)
                                 : 2 * p[c] * (error(c) - mean_error) / static_cast<double>(C);
        dz[c] = static_cast<T>(args.scale * slope);
      }
    }
  });
}

/// Computes J v = p * v - p (p . v), the softmax's Jacobian times a vector. out may be v.
void softmax_jacobian(double* out, const double* p, const double* v, int64_t C) {
  double mean = 0;
  for (int64_t c = 0; c < C; ++c) mean += p[c] * v[c];
  for (int64_t c = 0; c < C; ++c) out[c] = p[c] * (v[c] - mean);
}

void curvature(const LossCurvatureArgs& args, Context& context) {
  with_real_type(args.logits.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t C = args.logits.dim(1);
    double* p = class_scratch(context, 3 * C);
    double *moved = p + C, *second = moved + C;
    const double share = 2 / static_cast<double>(C);
    for (int64_t n = 0; n < args.logits.dim(0); ++n) {
      softmax(p, args.logits.data<T>() + n * C, C);
      std::copy_n(args.logits_tangent.data<T>() + n * C, C, moved);
      softmax_jacobian(moved, p, moved, C);  // p'
      T* out = args.product.data<T>() + n * C;
      if (args.kind == LossKind::cross_entropy) {
        for (int64_t c = 0; c < C; ++c) out[c] = static_cast<T>(args.scale * moved[c]);
        continue;
      }
      const int32_t label = args.labels.data<int32_t>()[n];
      const auto error = [&](int64_t c) { return share * (p[c] - (c == label ? 1 : 0)); };
      double mean_error = 0, mean_moved = 0;
      for (int64_t c = 0; c < C; ++c) mean_error += p[c] * error(c);
      for (int64_t c = 0; c < C; ++c) mean_moved += moved[c] * error(c);
      for (int64_t c = 0; c < C; ++c) second[c] = share * moved[c];
      softmax_jacobian(second, p, second, C);
      for (int64_t c = 0; c < C; ++c) {
        if (!args.gauss_newton) second[c] += moved[c] * (error(c) - mean_error) - p[c] * mean_moved;
        out[c] = static_cast<T>(args.scale * second[c]);
      }
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
