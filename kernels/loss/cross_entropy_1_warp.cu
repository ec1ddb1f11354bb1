// The two losses of classes that most networks are trained with, p = softmax(z), y the class:
//   cross_entropy  -log p[y], or -sum of q log p with the smoothed label q
//                  dz[c] = p[c] - q[c],   H v = p' = p * v - p (p . v)
//   mse            mean over classes of (p - t)^2, t the one-hot label
//                  dz[c] = 2 / C p[c] (e[c] - sum of p e), e = p - t
//                  H v = J (2 p' / C) + p' * e' - p' (p . e') - p (p' . e'), e' = 2 e / C, of which
//                  Gauss-Newton keeps the first term
//
// A warp owns an image, its lane l classes l, l + 32, ..., so that a warp reads 128 consecutive bytes
// (warp_loss.h). Maximum and sums go over the warp in five shuffles each; there is no shared memory
// and no barrier. The logits are read once from memory, and from the L1 cache for every later use.
//
// exp and log are in double, because the smallest losses must keep their digits: -log p of a confident
// network is 1e-7 and less, where a float p is 1.
//
// Traffic: 4 C + 12 bytes per image forward, 8 C + 4 backward, 12 C + 4 for H v. Work: an exponential
// in double per class and use of p, some 20 FLOP each (forward one, backward two, H v two; of mse two,
// three and five), and one logarithm. With 10 classes, 22 of 32 lanes are idle and latency bounds it: a
// network's last convolution takes a hundred times as long.
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

struct CrossEntropy : SoftmaxOf {
  int64_t label;
  SmoothedTarget q;
  __device__ explicit CrossEntropy(const WarpImage& of)
      : SoftmaxOf(of), label(of.targets.labels[of.n]), q(of.constant, of.C) {}
  __device__ double value() const {
    // Without smoothing the label's logit alone: 0 times a logit of -inf would be NaN.
    if (q.other == 0)
      return log(softmax.sum) - (number_of(image, image.z, label) - softmax.maximum);
    return log(softmax.sum) - sum_over_outputs(image, [&](int64_t c) {
             return (c == label ? q.label : q.other) * (image.z[c] - softmax.maximum);
           });
  }
  __device__ int32_t right() const { return wins(image, label); }
  struct Nothing {};  // that slopes share
  __device__ Nothing for_slopes() const { return {}; }
  __device__ double slope(Nothing, int64_t c) const {
    return p(c) - (c == label ? q.label : q.other);
  }
  __device__ double along(const float* v, bool) const { return mean_of(v); }
  __device__ double bend(double mean, float v, int64_t c, bool) const { return p(c) * (v - mean); }
};

struct SquaredErrorOfSoftmax : SoftmaxOf {
  double share;  // 2 / C
  __device__ explicit SquaredErrorOfSoftmax(const WarpImage& of)
      : SoftmaxOf(of), share(2 / static_cast<double>(of.C)) {}
  __device__ double error(int64_t c) const { return share * (p(c) - target(c)); }
  __device__ double value() const {
    return sum_over_outputs(image,
                            [&](int64_t c) {
                              const double difference = p(c) - target(c);
                              return difference * difference;
                            }) /
           static_cast<double>(image.C);
  }
  __device__ int32_t right() const { return wins(image, image.targets.labels[image.n]); }
  /// p . e'
  __device__ double for_slopes() const {
    return sum_over_outputs(image, [&](int64_t c) { return p(c) * error(c); });
  }
  __device__ double slope(double mean_error, int64_t c) const {
    return p(c) * (error(c) - mean_error);
  }
  struct Along {
    double mean, mean_error, moved_error, mean_moved;  // p . v, p . e', p' . e', p . p'
  };
  __device__ double moved(double mean, float v, int64_t c) const { return p(c) * (v - mean); }
  __device__ Along along(const float* v, bool) const {
    const double mean = mean_of(v);
    return {mean, for_slopes(),
            sum_over_outputs(image, [&](int64_t c) { return moved(mean, v[c], c) * error(c); }),
            sum_over_outputs(image, [&](int64_t c) { return p(c) * moved(mean, v[c], c); })};
  }
  __device__ double bend(const Along& shared, float v, int64_t c, bool gauss_newton) const {
    const double own = moved(shared.mean, v, c);  // p'
    const double first = share * p(c) * (own - shared.mean_moved);
    const double second = own * (error(c) - shared.mean_error) - p(c) * shared.moved_error;
    return gauss_newton ? first : first + second;
  }
};

/// Whether the loss is this one of a class, all classes alike.
template <LossKind kind, class Args>
bool supports(const Args& args) {
  return all_f32(args.logits) && args.labels.dtype() == DType::i32 && args.loss.kind == kind &&
         !args.loss.class_weights.defined();
}

template <class Args>
void add(OpRegistry& registry) {
  registry.add<Args>({"cross_entropy", kDevice, supports<LossKind::cross_entropy, Args>,
                      run_warp_loss<CrossEntropy>});
  registry.add<Args>(
      {"mse", kDevice, supports<LossKind::mse, Args>, run_warp_loss<SquaredErrorOfSoftmax>});
}

}  // namespace

void register_cross_entropy_1_warp(OpRegistry& registry) {
  add<LossForwardArgs>(registry);
  add<LossBackwardArgs>(registry);
  add<LossCurvatureArgs>(registry);
}

}  // namespace topograd::TOPOGRAD_BACKEND
