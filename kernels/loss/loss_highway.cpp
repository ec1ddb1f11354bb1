// The losses of a softmax with vector exponentials: those of all images and classes are one flat array of
// doubles, whatever the number of classes. The rest, a few operations per class, stays scalar.
//
// Measured on one core with AVX-512, cross-entropy against the reference, forward and backward:
// 16 images of 10 classes 2.9 us (4.1), 1.8 us (5.9); 128 of 10 17 us (49), 14 us (34); 16 of 1000
// 125 us (418), 222 us (425).
#include <algorithm>
#include <cmath>

#include "kernels/loss/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/loss/loss_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sets e[i] = exp(e[i]) for e[i] <= 0 or NaN, which stays NaN: Highway's Exp makes it 0.
void exponentials(double* e, int64_t n) {
  const hn::ScalableTag<double> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto step = [&](auto tag, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(tag, e + i);
    hn::StoreU(hn::IfThenElse(hn::IsNaN(v), v, hn::Exp(tag, v)), tag, e + i);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(d, i);
  for (; i < n; ++i) step(hn::CappedTag<double, 1>(), i);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(exponentials);

namespace {

/// Values e[n, c] = exp(z[n, c] - max z[n]), and target_logit[n] = sum of q[c] (z[n, c] - max
/// z[n]), which without smoothing is the label's logit alone.
struct Exponentials {
  double* e;
  double* target_logit;
};
Exponentials exponentials_of(const Tensor& logits, const Tensor& labels, double smoothing,
                             Context& context) {
  const int64_t N = logits.dim(0), C = logits.dim(1);
  auto* e =
      static_cast<double*>(context.workspace((C + 1) * N * static_cast<int64_t>(sizeof(double))));
  double* target_logit = e + N * C;
  const SmoothedTarget q(smoothing, C);
  const float* z = logits.data<float>();
  for (int64_t n = 0; n < N; ++n, z += C) {
    const double maximum = *std::max_element(z, z + C);
    for (int64_t c = 0; c < C; ++c) e[n * C + c] = z[c] - maximum;
    const int32_t label = labels.data<int32_t>()[n];
    target_logit[n] = z[label] - maximum;
    if (smoothing == 0) continue;
    target_logit[n] *= 1 - smoothing;
    for (int64_t c = 0; c < C; ++c) target_logit[n] += q.other * e[n * C + c];
  }
  HWY_DYNAMIC_DISPATCH(exponentials)(e, N * C);
  return {e, target_logit};
}

/// Writes p = softmax in place of its exponentials; returns their sum.
double normalise(double* p, int64_t C) {
  double sum = 0;
  for (int64_t c = 0; c < C; ++c) sum += p[c];
  for (int64_t c = 0; c < C; ++c) p[c] /= sum;
  return sum;
}

/// Whether the first of the largest logits is the label's, and none is NaN.
bool label_wins(const float* z, int64_t C, int64_t label) {
  bool wins = true;
  for (int64_t c = 0; c < C; ++c) wins &= c < label ? z[c] < z[label] : z[c] <= z[label];
  return wins;
}

void forward_point(const LossForwardArgs& args, Context& context) {
  const int64_t C = args.logits.dim(1);
  const int32_t* labels = args.labels.data<int32_t>();
  const auto [e, target_logit] =
      exponentials_of(args.logits, args.labels, args.loss.constant, context);
  for (int64_t n = 0; n < args.labels.size(); ++n) {
    double* p = e + n * C;
    double loss = 0;
    if (args.loss.kind == LossKind::cross_entropy) {
      for (int64_t c = 0; c < C; ++c) loss += p[c];
      loss = std::log(loss) - target_logit[n];
    } else {
      normalise(p, C);
      p[labels[n]] -= 1;
      for (int64_t c = 0; c < C; ++c) loss += p[c] * p[c];
      loss /= static_cast<double>(C);
    }
    args.losses.data<float>()[n] = static_cast<float>(loss);
    if (args.correct.defined())
      args.correct.data<int32_t>()[n] =
          label_wins(args.logits.data<float>() + n * C, C, labels[n]) ? 1 : 0;
  }
}

void forward(const LossForwardArgs& args, Context& context) {
  if (args.logits.shape().rank() == 2) return forward_point(args, context);
  const Shape logits(args.logits.shape().begin() + 1, args.logits.shape().end());
  for (int64_t p = 0; p < args.logits.dim(0); ++p) {
    LossForwardArgs point = args;
    point.logits = args.logits.slice(p * logits.size(), logits);
    point.losses = args.losses.slice(p * logits[0], {logits[0]});
    if (args.correct.defined()) point.correct = args.correct.slice(p * logits[0], {logits[0]});
    forward_point(point, context);
  }
}

/// Computes the formulas of the reference: cross_entropy p - q; mse 2/C * p[j] * (e[j] - sum of p
/// e).
void backward(const LossBackwardArgs& args, Context& context) {
  const int64_t C = args.logits.dim(1);
  const int32_t* labels = args.labels.data<int32_t>();
  const SmoothedTarget q(args.loss.constant, C);
  double* p = exponentials_of(args.logits, args.labels, 0, context).e;
  float* dz = args.dlogits.data<float>();
  for (int64_t n = 0; n < args.labels.size(); ++n, p += C, dz += C) {
    normalise(p, C);
    const auto error = [&](int64_t c) { return p[c] - (c == labels[n] ? q.label : q.other); };
    if (args.loss.kind == LossKind::cross_entropy) {
      for (int64_t c = 0; c < C; ++c) dz[c] = static_cast<float>(args.scale * error(c));
      continue;
    }
    double mean_error = 0;
    for (int64_t c = 0; c < C; ++c) mean_error += p[c] * error(c);
    const double factor = 2 * args.scale / static_cast<double>(C);
    for (int64_t c = 0; c < C; ++c)
      dz[c] = static_cast<float>(factor * p[c] * (error(c) - mean_error));
  }
}

/// Whether the loss is one of a softmax and a class, all classes alike: what this file is for.
template <class Args>
bool supports(const Args& args) {
  const bool softmax = args.loss.kind == LossKind::cross_entropy || args.loss.kind == LossKind::mse;
  return args.logits.dtype() == DType::f32 && args.labels.dtype() == DType::i32 && softmax &&
         !args.loss.class_weights.defined();
}

}  // namespace

void register_loss_highway(OpRegistry& registry) {
  registry.add<LossForwardArgs>({"highway", Device::cpu, supports, forward});
  registry.add<LossBackwardArgs>({"highway", Device::cpu, supports, backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
