#include "kernels/broadcast/broadcast.h"

namespace topograd {

namespace {

void check_alike(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape() && a.dtype() == b.dtype(), op, ": ", a.shape(), " and ", b.shape(),
          " differ");
}

void check_broadcast(std::string_view op, const Tensor& small, const Tensor& whole) {
  bool fits = small.shape().rank() == whole.shape().rank() && small.dtype() == whole.dtype();
  for (int axis = 0; fits && axis < whole.shape().rank(); ++axis)
    fits = small.dim(axis) == whole.dim(axis) || small.dim(axis) == 1;
  require(fits, op, ": ", small.shape(), " is not to be broadcast against ", whole.shape());
}

}  // namespace

void BroadcastSumArgs::check() const {
  if (a.defined()) check_alike(kOp, y, a);
  if (b.defined()) check_broadcast(kOp, b, y);
}

void BroadcastProductArgs::check() const {
  check_alike(kOp, y, a);
  check_broadcast(kOp, b, y);
}

void BroadcastReduceArgs::check() const {
  check_broadcast(kOp, r, u);
  if (v.defined()) check_alike(kOp, u, v);
}

}  // namespace topograd
