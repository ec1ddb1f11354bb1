#include "kernels/concat/concat.h"

namespace topograd {

namespace {

/// `part` must have the pixels and the type of `whole`, and no more channels.
void check_part(std::string_view op, const char* name, const Tensor& part, const Tensor& whole) {
  bool alike = whole.shape().rank() == 4 && part.shape().rank() == 4 &&
               part.dtype() == whole.dtype() && part.dim(3) <= whole.dim(3);
  for (int i = 0; alike && i < 3; ++i) alike = part.dim(i) == whole.dim(i);
  require(alike, op, ": ", name, " ", part.shape(), " is no part of the channels of ",
          whole.shape(), ", with the same pixels and type");
}

void check_channels(std::string_view op, const Tensor& a, const Tensor& b, const Tensor& whole) {
  require(a.dim(3) + b.dim(3) == whole.dim(3), op, ": ", a.dim(3), " and ", b.dim(3),
          " channels do not make ", whole.dim(3));
}

}  // namespace

void ConcatArgs::check() const {
  check_part(kOp, "a", a, y);
  check_part(kOp, "b", b, y);
  check_channels(kOp, a, b, y);
}

void ConcatBackwardArgs::check() const {
  if (da.defined()) check_part(kOp, "da", da, dy);
  if (db.defined()) check_part(kOp, "db", db, dy);
  if (da.defined() && db.defined()) check_channels(kOp, da, db, dy);
}

}  // namespace topograd
