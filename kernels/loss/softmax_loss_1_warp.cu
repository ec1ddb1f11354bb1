// Losses of p = softmax(z) with class weights w, with targets that are probabilities t, and the focal
// loss of a class:
//   cross_entropy  sum of a (-log p),   a[c] = w[c] ((1 - e) t[c] + e / C),   A = sum of a
//                  dz = A p - a,   H v = A p (v - p . v)
//   focal          w[y] f(l),   l = -log p[y],   f(l) = (1 - exp(-l))^g l   (focal_terms.h)
//                  dz = w[y] f' (p - t),   H v = w[y] (f' p (v - p . v) + f'' (p - t) ((p - t) . v))
//
// A warp owns an image, its lane l outputs l, l + 32, ... (warp_loss.h). Maximum, sums and the scalar
// products go over the warp in five shuffles each; a lane forms exp(z - m) again wherever it needs p,
// which is cheaper than to keep a number of values that C decides.
//
// Traffic: 4 C bytes for the logits, 4 C for targets that are numbers, 8 C for weights (from the L1
// cache after the first image), 4 to 8 C of results. Work: two exponentials in double per output
// forward and backward, three for H v, some 20 FLOP each. Latency bounds it at the size of a batch.
#include "kernels/loss/focal_terms.h"
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

struct WeightedCrossEntropy : SoftmaxOf {
  using SoftmaxOf::SoftmaxOf;
  __device__ double a(int64_t c) const {
    const double e = image.constant;
    return image.targets.weight(c) * ((1 - e) * target(c) + e / static_cast<double>(image.C));
  }
  __device__ double value() const {
    return sum_over_outputs(image, [&](int64_t c) {
      const double share = a(c);
      return share == 0 ? 0.0 : share * minus_log_p(c);  // 0 of a logit of -inf is 0
    });
  }
  /// The class of the largest probability, of equal ones the first.
  __device__ int64_t expected_class() const {
    if (image.targets.labels) return image.targets.labels[image.n];
    float largest = -INFINITY, first = -INFINITY;  // of -c: the smallest c has the largest
    for (int64_t c = image.lane; c < image.C; c += kWarp)
      largest = max(largest, static_cast<float>(target(c)));
    largest = max_over_warp(largest);
    for (int64_t c = image.lane; c < image.C; c += kWarp)
      if (static_cast<float>(target(c)) == largest) first = max(first, static_cast<float>(-c));
    return static_cast<int64_t>(-max_over_warp(first));
  }
  __device__ int32_t right() const { return wins(image, expected_class()); }
  /// A
  __device__ double for_slopes() const {
    return sum_over_outputs(image, [&](int64_t c) { return a(c); });
  }
  __device__ double slope(double total, int64_t c) const { return total * p(c) - a(c); }
  struct Along {
    double mean, total;
  };
  __device__ Along along(const float* v, bool) const { return {mean_of(v), for_slopes()}; }
  __device__ double bend(const Along& shared, float v, int64_t c, bool) const {
    return shared.total * p(c) * (v - shared.mean);
  }
};

struct ClassFocal : SoftmaxOf {
  double weight;
  FocalTerms f;
  __device__ explicit ClassFocal(const WarpImage& of)
      : SoftmaxOf(of),
        weight(of.targets.weight(of.targets.labels[of.n])),
        f(log(softmax.sum) - (number_of(image, of.z, of.targets.labels[of.n]) - softmax.maximum),
          of.constant) {}
  __device__ double value() const { return weight * f.value; }
  __device__ int32_t right() const { return wins(image, image.targets.labels[image.n]); }
  struct Nothing {};  // that slopes share beside f
  __device__ Nothing for_slopes() const { return {}; }
  __device__ double slope(Nothing, int64_t c) const {
    return weight * f.slope * (p(c) - target(c));
  }
  struct Along {
    double mean, second;
  };
  __device__ Along along(const float* v, bool gauss_newton) const {
    const double gradient =
        sum_over_outputs(image, [&](int64_t c) { return (p(c) - target(c)) * v[c]; });
    return {mean_of(v), gauss_newton ? 0.0 : weight * f.bend * gradient};
  }
  __device__ double bend(const Along& shared, float v, int64_t c, bool) const {
    return weight * f.slope * p(c) * (v - shared.mean) + shared.second * (p(c) - target(c));
  }
};

template <class Args>
bool is_weighted_cross_entropy(const Args& args) {
  return all_f32(args.logits) && args.loss.kind == LossKind::cross_entropy &&
         (args.labels.dtype() == DType::f32 || args.loss.class_weights.defined());
}

template <class Args>
bool is_class_focal(const Args& args) {
  return all_f32(args.logits) && args.loss.kind == LossKind::focal &&
         args.labels.dtype() == DType::i32;
}

template <class Args>
void add(OpRegistry& registry) {
  registry.add<Args>(
      {"weighted", kDevice, is_weighted_cross_entropy<Args>, run_warp_loss<WeightedCrossEntropy>});
  registry.add<Args>({"focal", kDevice, is_class_focal<Args>, run_warp_loss<ClassFocal>});
}

}  // namespace

void register_softmax_loss_1_warp(OpRegistry& registry) {
  add<LossForwardArgs>(registry);
  add<LossBackwardArgs>(registry);
  add<LossCurvatureArgs>(registry);
}

}  // namespace topograd::TOPOGRAD_BACKEND
