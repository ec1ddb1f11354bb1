#include "kernels/loss/loss.h"

namespace topograd {

namespace {

/// Throws Error unless the targets fit logits [N, C], or [P, N, C] where `with_points`, and the loss
/// takes such targets.
void check_targets(std::string_view op, const Tensor& logits, const Tensor& labels,
                   const Loss& loss, bool with_points) {
  const int rank = logits.shape().rank();
  require(rank == 2 || (with_points && rank == 3), op, ": logits must be [N,C]",
          with_points ? " or [P,N,C]" : "", ", got ", logits.shape());
  const int64_t images = logits.dim(rank - 2), classes = logits.dim(rank - 1);
  loss.check();
  require(!loss.class_weights.defined() || loss.class_weights.size() == classes, op, ": loss ",
          name_of(loss.kind), " has ", loss.class_weights.defined() ? loss.class_weights.size() : 0,
          " class weights, the network ", classes, " classes");
  if (labels.dtype() == DType::f32) {
    require(takes_numbers(loss.kind), op, ": loss ", name_of(loss.kind),
            " is of images with a class each; these have numbers");
    require(labels.shape() == Shape({images, classes}), op,
            ": targets must be as many numbers as logits, got ", labels.shape(), " for logits ",
            logits.shape());
    return;
  }
  require(labels.shape() == Shape{images} && labels.dtype() == DType::i32, op,
          ": labels must be one i32 per image, got ", labels.shape(), " of ",
          name_of(labels.dtype()), " for logits ", logits.shape());
  if (labels.device() != Device::cpu) return;
  for (int64_t n = 0; n < labels.size(); ++n) {
    const int32_t label = labels.data<int32_t>()[n];
    require(0 <= label && label < classes, op, ": label ", label, " of image ", n,
            " is not in [0, ", classes, "); the data set has more classes than the network");
  }
}

void require_gradient(std::string_view op, const Loss& loss) {
  require(!is_measure(loss.kind), op, ": ", name_of(loss.kind), " is a measure, without gradient");
}

}  // namespace

void LossForwardArgs::check() const {
  check_targets(kOp, logits, labels, loss, true);
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
  check_targets(kOp, logits, labels, loss, false);
  require_gradient(kOp, loss);
  require(dlogits.shape() == logits.shape() && dlogits.dtype() == logits.dtype(), kOp, ": dlogits ",
          dlogits.shape(), " must be like logits ", logits.shape());
}

void LossCurvatureArgs::check() const {
  check_targets(kOp, logits, labels, loss, false);
  require_gradient(kOp, loss);
  for (const Tensor* t : {&product, &logits_tangent})
    require(t->shape() == logits.shape() && t->dtype() == logits.dtype(), kOp, ": ", t->shape(),
            " must be like logits ", logits.shape());
}

}  // namespace topograd
