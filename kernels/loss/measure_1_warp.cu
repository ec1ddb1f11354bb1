// Measures of an answer, which have no gradient: top_k, confidence, margin, calibration_gap
// (loss_function.h).
//
// A warp owns an image, its lane l classes l, l + 32, ... (warp_loss.h). What is asked of all classes
// at once (how many come before the label's, the largest of the others, the sum of exponentials) is a
// sum or a maximum over the warp. The largest probability is exp(0) / sum: no class is looked for.
//
// Traffic: 4 C bytes of logits, 8 of results. Work: an exponential in double per class, some 20 FLOP.
// Latency bounds it.
#include "kernels/loss/warp_loss.h"
#include "kernels/loss/warp_softmax.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

struct Answer {
  WarpImage image;
  int64_t label;
  double sum;  // of exp(z - max z): at least 1, NaN where a logit is
  __device__ explicit Answer(const WarpImage& of)
      : image(of), label(of.targets.labels[of.n]), sum(softmax_of(of.z, of.C, of.lane).sum) {}
  __device__ double confidence() const { return 1 / sum; }
  __device__ int32_t right() const { return wins(image, label); }
  /// The number of classes that come before the label's.
  __device__ double before() const {
    return sum_over_outputs(image, [&](int64_t c) {
      const bool first = c < label ? image.z[c] >= image.z[label] : image.z[c] > image.z[label];
      return first ? 1.0 : 0.0;
    });
  }
  /// The largest of the other classes' logits.
  __device__ float other() const {
    float largest = -INFINITY;
    for (int64_t c = image.lane; c < image.C; c += kWarp)
      if (c != label) largest = max(largest, image.z[c]);
    return max_over_warp(largest);
  }
};

struct TopK : Answer {
  using Answer::Answer;
  static constexpr LossKind kKind = LossKind::top_k;
  __device__ double value() const {
    const double classes = before();
    return sum != sum ? NAN : classes < image.constant ? 1 : 0;
  }
};

struct Confidence : Answer {
  using Answer::Answer;
  static constexpr LossKind kKind = LossKind::confidence;
  __device__ double value() const { return confidence(); }
};

struct Margin : Answer {
  using Answer::Answer;
  static constexpr LossKind kKind = LossKind::margin;
  __device__ double value() const {
    const double largest = other();
    return sum != sum ? NAN : image.z[label] - largest;
  }
};

struct CalibrationGap : Answer {
  using Answer::Answer;
  static constexpr LossKind kKind = LossKind::calibration_gap;
  __device__ double value() const {
    const double c = confidence(), gap = c - right();
    return sum != sum ? NAN : ceil(c * kCalibrationBins) - 1 == image.constant ? gap : 0;
  }
};

template <class Formula>
void add(OpRegistry& registry, const char* name) {
  registry.add<LossForwardArgs>({name, kDevice,
                                 [](const LossForwardArgs& args) {
                                   return all_f32(args.logits) && args.loss.kind == Formula::kKind;
                                 },
                                 run_warp_loss<Formula>});
}

}  // namespace

void register_measure_1_warp(OpRegistry& registry) {
  add<TopK>(registry, "top_k");
  add<Confidence>(registry, "confidence");
  add<Margin>(registry, "margin");
  add<CalibrationGap>(registry, "calibration_gap");
}

}  // namespace topograd::TOPOGRAD_BACKEND
