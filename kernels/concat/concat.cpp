#include "kernels/concat/concat.h"

namespace topograd {

namespace {

/// Throws Error unless `part` has the pixels and type of `whole`, and its channels lie inside it.
void check_part(std::string_view op, const Tensor& part, const Tensor& whole, int64_t first) {
  bool alike = whole.shape().rank() == 4 && part.shape().rank() == 4 &&
               part.dtype() == whole.dtype() && first >= 0 && first + part.dim(3) <= whole.dim(3);
  for (int i = 0; alike && i < 3; ++i) alike = part.dim(i) == whole.dim(i);
  require(alike, op, ": ", part.shape(), " is no part, from channel ", first, " on, of ",
          whole.shape(), ", with the same pixels and type");
}

}  // namespace

void ConcatArgs::check() const {
  check_part(kOp, part, y, first);
}

void ConcatBackwardArgs::check() const {
  check_part(kOp, dpart, dy, first);
}

}  // namespace topograd
