// Loss: which function of a network's outputs and an image's target, with its constants.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// A function of the outputs z [C] of one image and its target: a class y, or numbers t [C].
/// With p = softmax(z), s = sigmoid(z), t the one-hot vector of y where the target is a class, and
/// class weights w (all 1 where there are none):
///   cross_entropy     sum of w q (-log p), q = (1 - e) t + e / C, e the label smoothing (Szegedy et
///                     al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016);
///                     numbers t are probabilities of the classes
///   mse               mean over classes of (p - t)^2; classes alone
///   squared_error     mean over outputs of w (z - t)^2
///   absolute_error    mean over outputs of w |z - t|
///   huber             mean over outputs of w h(z - t), h(e) = e^2 / 2 up to |e| = d, beyond it
///                     d (|e| - d / 2) (Huber, "Robust Estimation of a Location Parameter", 1964)
///   bce               mean over outputs of -w (t log s + (1 - t) log(1 - s)); t from 0 to 1
///   focal             -w[y] (1 - p[y])^g log p[y]; of numbers t, each 0 or 1, mean over outputs of
///                     -w (1 - r)^g log r, r = s where t = 1 and 1 - s where t = 0 (Lin et al.,
///                     "Focal Loss for Dense Object Detection", ICCV 2017)
///   hinge             mean over classes c, the term c = y being 0, of w[y] max(0, m - z[y] + z[c])
///                     (Weston and Watkins, 1999); classes alone
///   squared_hinge     the same of the squares of these maxima; classes alone
/// These are PyTorch's CrossEntropyLoss, MSELoss, L1Loss, HuberLoss, BCEWithLogitsLoss,
/// MultiMarginLoss, image by image: over images the plain mean is taken. (PyTorch's mean of a
/// weighted cross-entropy is divided by the mean of the images' w[y] besides.)
///
/// Measures have no gradient, and take classes alone:
///   top_k             1 where fewer than k classes come before y in the order of their logits,
///                     equal ones in the order of the classes; else 0
///   confidence        max p
///   margin            z[y] - max over c != y of z[c]
///   calibration_gap   c - (1 where y is the first of the largest logits, else 0), where the
///                     confidence c lies in bin b of kCalibrationBins, (b / 15, (b + 1) / 15];
///                     elsewhere 0. The sum over the bins of the absolute values of the means is
///                     the expected calibration error (Guo et al., "On Calibration of Modern Neural
///                     Networks", ICML 2017).
enum class LossKind {
  cross_entropy,
  mse,
  squared_error,
  absolute_error,
  huber,
  bce,
  focal,
  hinge,
  squared_hinge,
  top_k,
  confidence,
  margin,
  calibration_gap,
};
constexpr int kCalibrationBins = 15;

std::string_view name_of(LossKind kind);
/// The kinds that can be minimised, those with a gradient.
std::span<const LossKind> loss_kinds();
/// Their names.
std::vector<std::string> loss_names();
bool is_measure(LossKind kind);
/// Whether images' targets may be numbers; classes they may always be.
bool takes_numbers(LossKind kind);
/// Whether, of targets that are numbers, an image's answer is right or wrong: where they are numbers
/// to come close to, it is neither.
bool tells_right_from_wrong(LossKind kind);

struct Loss {
  LossKind kind = LossKind::cross_entropy;
  /// The kind's constant: e of cross_entropy (default 0), d of huber (1), g of focal (2), m of hinge
  /// and squared_hinge (1), k of top_k (5), b of calibration_gap; 0 for the others.
  double constant = 0;
  Tensor class_weights{};  ///< f64 [C], at least 0; undefined: all 1

  Loss() = default;
  /// A kind with its usual constant.
  Loss(LossKind of_kind);  // NOLINT(google-explicit-constructor): a kind is the usual loss of it
  Loss(LossKind of_kind, double its_constant) : kind(of_kind), constant(its_constant) {}

  /// Returns the same loss with its weights on a device.
  Loss to(Device device) const;
  /// Throws Error for a constant out of range, weights that are negative or not finite, or that the
  /// kind does not take.
  void check() const;
};
bool operator==(const Loss& a, const Loss& b);

/// Returns the loss that a text names: a kind, its constant, if it has one, after a colon, weights
/// after another: "huber", "focal:1.5", "cross_entropy:0.1", "cross_entropy:weights=1/1/2".
/// Throws Error that says what there is for anything else.
Loss loss_named(std::string_view text);
/// Returns the loss without label smoothing, which is training's alone: what is reported and mapped.
Loss without_smoothing(Loss loss);
/// Returns the measure of a name: "top5" (or another number), "confidence", "margin", and
/// "calibration", which is the calibration_gap of bin 0 and stands for all bins. Throws Error that
/// lists them for anything else.
Loss measure_named(std::string_view name);
/// Returns a text that loss_named() reads as the same loss, to the last digit.
std::string text_of(const Loss& loss);
/// Returns "cross-entropy", "Huber loss (0.5)", for people.
std::string title_of(const Loss& loss);

/// The smoothed target q of one image: q[label] = label, q[c] = other for every other class.
/// Without smoothing exactly the one-hot 1 and 0.
struct SmoothedTarget {
  constexpr SmoothedTarget(double smoothing, int64_t classes)
      : other(smoothing / static_cast<double>(classes)), label(1 - smoothing + other) {}
  double other;
  double label;
};

}  // namespace topograd
