#include "kernels/dropout/dropout.h"

namespace topograd {

int64_t dropout_units(DropoutUnit unit, const Shape& image) {
  switch (unit) {
    case DropoutUnit::element:
      return image.size();
    case DropoutUnit::channel:
      return image[image.rank() - 1];
    case DropoutUnit::image:
      return 1;
  }
  return 1;
}

void DropoutArgs::check() const {
  require(x.shape() == y.shape() && x.dtype() == y.dtype() && x.shape().rank() >= 2, kOp, ": x ",
          x.shape(), " and y ", y.shape(), " are not images of one shape");
  require(keep >= 0 && keep <= 1, kOp, ": the probability to keep is in [0, 1], got ", keep);
}

}  // namespace topograd
