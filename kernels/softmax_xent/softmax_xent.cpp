#include "kernels/softmax_xent/softmax_xent.h"

namespace topograd {

namespace {

void check_labels(std::string_view op, const Tensor& logits, const Tensor& labels) {
  require(logits.shape().rank() == 2, op, ": logits must be [N,C], got ", logits.shape());
  require(labels.shape() == Shape{logits.dim(0)} && labels.dtype() == DType::i32, op,
          ": labels must be one i32 per image, got ", labels.shape(), " of ",
          name_of(labels.dtype()), " for logits ", logits.shape());
  for (int64_t n = 0; n < labels.size(); ++n) {
    const int32_t label = labels.data<int32_t>()[n];
    require(0 <= label && label < logits.dim(1), op, ": label ", label, " of image ", n,
            " is not in [0, ", logits.dim(1), "); the data set has more classes than the network");
  }
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
  check_labels(kOp, logits, labels);
  require(losses.shape() == labels.shape() && losses.dtype() == logits.dtype(), kOp,
          ": losses must be one per image, of the logits' type, got ", losses.shape(), " of ",
          name_of(losses.dtype()));
  require(
      !correct.defined() || (correct.shape() == labels.shape() && correct.dtype() == DType::i32),
      kOp, ": correct must be one i32 per image, got ", correct.shape(), " of ",
      name_of(correct.dtype()));
}

void LossBackwardArgs::check() const {
  check_labels(kOp, logits, labels);
  require(dlogits.shape() == logits.shape() && dlogits.dtype() == logits.dtype(), kOp, ": dlogits ",
          dlogits.shape(), " must be like logits ", logits.shape());
}

}  // namespace topograd
