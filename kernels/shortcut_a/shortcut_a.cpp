#include "kernels/shortcut_a/shortcut_a.h"

namespace topograd {

namespace {

void check_shapes(std::string_view op, const Tensor& wide, const Tensor& narrow, int stride) {
  require(stride >= 1, op, ": the stride must be at least 1, got ", stride);
  require(wide.shape().rank() == 4 && narrow.shape().rank() == 4, op,
          ": expected [N,H,W,C] tensors, got ", wide.shape(), " and ", narrow.shape());
  const auto kept = [&](int axis) { return (wide.dim(axis) + stride - 1) / stride; };
  require(narrow.dim(0) == wide.dim(0) && narrow.dim(1) == kept(1) && narrow.dim(2) == kept(2) &&
              narrow.dim(3) >= wide.dim(3) && narrow.dtype() == wide.dtype(),
          op, ": ", wide.shape(), " at stride ", stride, " does not give ", narrow.shape());
}

}  // namespace

void ShortcutAForwardArgs::check() const {
  check_shapes(kOp, x, y, stride);
}

void ShortcutABackwardArgs::check() const {
  check_shapes(kOp, dx, dy, stride);
}

}  // namespace topograd
