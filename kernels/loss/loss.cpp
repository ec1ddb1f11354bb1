#include "kernels/loss/loss.h"

namespace topograd {

namespace {

/// Throws Error unless the labels fit logits [N, C], or [P, N, C] where `with_points`.
void check_labels(std::string_view op, const Tensor& logits, const Tensor& labels,
                  bool with_points) {
  const int rank = logits.shape().rank();
  require(rank == 2 || (with_points && rank == 3), op, ": logits must be [N,C]",
          with_points ? " or [P,N,C]" : "", ", got ", logits.shape());
  const int64_t classes = logits.dim(rank - 1);
  require(labels.shape() == Shape{logits.dim(rank - 2)} && labels.dtype() == DType::i32, op,
          ": labels must be one i32 per image, got ", labels.shape(), " of ",
          name_of(labels.dtype()), " for logits ", logits.shape());
  if (labels.device() != Device::cpu) return;
  for (int64_t n = 0; n < labels.size(); ++n) {
    const int32_t label = labels.data<int32_t>()[n];
    require(0 <= label && label < classes, op, ": label ", label, " of image ", n,
            " is not in [0, ", classes, "); the data set has more classes than the network");
  }
}

void check_smoothing(std::string_view op, double smoothing, LossKind kind) {
  require(0 <= smoothing && smoothing <= 1, op, ": label_smoothing must be in [0, 1], got ",
          smoothing);
  require(smoothing == 0 || kind == LossKind::cross_entropy, op,
          ": label smoothing is cross_entropy's; ", name_of(kind), " has none");
}

}  // namespace

std::string_view name_of(LossKind kind) {
  return kind == LossKind::cross_entropy ? "cross_entropy" : "mse";
}

LossKind loss_named(std::string_view name) {
  for (LossKind kind : {LossKind::cross_entropy, LossKind::mse})
    if (name == name_of(kind)) return kind;
  fail("unknown loss '", name, "': choose cross_entropy or mse");
}

void LossForwardArgs::check() const {
  check_labels(kOp, logits, labels, true);
  check_smoothing(kOp, label_smoothing, kind);
  const Shape per_image(logits.shape().begin(), logits.shape().end() - 1);
  require(losses.shape() == per_image && losses.dtype() == logits.dtype(), kOp,
          ": losses must be one per image, of the logits' type, got ", losses.shape(), " of ",
          name_of(losses.dtype()));
  require(!correct.defined() || (correct.shape() == per_image && correct.dtype() == DType::i32),
          kOp, ": correct must be one i32 per image, got ", correct.shape(), " of ",
          name_of(correct.dtype()));
}

void LossSumsArgs::check() const {
  require(losses.shape().rank() == 2 && sums.shape() == (Shape{losses.dim(0), 3}) &&
              sums.dtype() == DType::f64,
          kOp, ": sums must be three f64 for each row of losses ", losses.shape(), ", got ",
          sums.shape(), " of ", name_of(sums.dtype()));
  require(correct.shape() == losses.shape() && correct.dtype() == DType::i32, kOp,
          ": correct must be i32 like losses ", losses.shape(), ", got ", correct.shape(), " of ",
          name_of(correct.dtype()));
}

void LossBackwardArgs::check() const {
  check_labels(kOp, logits, labels, false);
  check_smoothing(kOp, label_smoothing, kind);
  require(dlogits.shape() == logits.shape() && dlogits.dtype() == logits.dtype(), kOp, ": dlogits ",
          dlogits.shape(), " must be like logits ", logits.shape());
}

void LossCurvatureArgs::check() const {
  check_labels(kOp, logits, labels, false);
  for (const Tensor* t : {&product, &logits_tangent})
    require(t->shape() == logits.shape() && t->dtype() == logits.dtype(), kOp, ": ", t->shape(),
            " must be like logits ", logits.shape());
}

}  // namespace topograd
