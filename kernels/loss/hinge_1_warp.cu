// The hinge over classes: the mean over c of w[y] h(c) or w[y] h(c)^2, with
//   h(c) = max(0, m - z[y] + z[c]) for c != y, h(y) = 0
//   d/dz[c] = w[y] / C of 1 where h(c) > 0 (squared: 2 h(c)),   d/dz[y] = minus their sum
//   H v: squared alone, 2 w[y] / C (v[c] - v[y]) where h(c) > 0, and minus their sum at y
//
// A warp owns an image, its lane l classes l, l + 32, ... (warp_loss.h). All lanes need z[y] and v[y],
// which one of them owns and hands to the others by shuffles.
//
// Traffic: 4 C bytes of logits, 4 to 8 C of results. Work: 4 FLOP per class in double. Latency bounds
// it at the size of a batch.
#include "kernels/loss/warp_loss.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

template <bool squared>
struct Hinge {
  WarpImage image;
  int64_t label;
  double own, factor;  // z[y], w[y] / C
  __device__ explicit Hinge(const WarpImage& of) : image(of), label(of.targets.labels[of.n]) {
    own = number_of(image, image.z, label);
    factor = image.targets.weight(label) / static_cast<double>(image.C);
  }
  /// h(c); of NaN NaN.
  __device__ double overlap(int64_t c) const {
    const double h = image.constant - own + image.z[c];
    return c == label || h <= 0 ? 0.0 : h;
  }
  __device__ double other_slope(int64_t c) const {
    const double h = overlap(c);
    return squared ? 2 * h : h > 0 ? 1.0 : h;
  }
  __device__ double value() const {
    return factor * sum_over_outputs(image, [&](int64_t c) {
             const double h = overlap(c);
             return squared ? h * h : h;
           });
  }
  __device__ int32_t right() const { return wins(image, label); }
  /// The sum of the other classes' slopes, without the factor.
  __device__ double for_slopes() const {
    return sum_over_outputs(image, [&](int64_t c) { return other_slope(c); });
  }
  __device__ double slope(double slopes, int64_t c) const {
    return factor * (c == label ? -slopes : other_slope(c));
  }
  struct Along {
    double own, bends;  // v[y], and the sum of what the other classes have
  };
  __device__ double other_bend(double v, double own_v, int64_t c) const {
    const double h = overlap(c);
    return h > 0 ? (squared ? 2 * (v - own_v) : 0.0) : h;  // 0, or NaN
  }
  __device__ Along along(const float* v, bool) const {
    const double own_v = number_of(image, v, label);
    return {own_v, sum_over_outputs(image, [&](int64_t c) { return other_bend(v[c], own_v, c); })};
  }
  __device__ double bend(const Along& shared, float v, int64_t c, bool) const {
    return factor * (c == label ? -shared.bends : other_bend(v, shared.own, c));
  }
};

template <LossKind kind, class Args>
bool supports(const Args& args) {
  return all_f32(args.logits) && args.loss.kind == kind;
}

template <class Args>
void add(OpRegistry& registry) {
  registry.add<Args>(
      {"hinge", kDevice, supports<LossKind::hinge, Args>, run_warp_loss<Hinge<false>>});
  registry.add<Args>({"squared_hinge", kDevice, supports<LossKind::squared_hinge, Args>,
                      run_warp_loss<Hinge<true>>});
}

}  // namespace

void register_hinge_1_warp(OpRegistry& registry) {
  add<LossForwardArgs>(registry);
  add<LossBackwardArgs>(registry);
  add<LossCurvatureArgs>(registry);
}

}  // namespace topograd::TOPOGRAD_BACKEND
