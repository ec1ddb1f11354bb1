#include "kernels/scale_shift/scale_shift.h"

namespace topograd {

void ScaleShiftArgs::check() const {
  require(points > 0 && y.shape().rank() >= 2 && y.dim(0) % points == 0, kOp, ": y ", y.shape(),
          " does not divide among ", points, " points");
  require(x.shape() == y.shape() || x.shape() == y.shape().with_first(y.dim(0) / points), kOp,
          ": x ", x.shape(), " must hold the images of every point, or those of one, of y ",
          y.shape());
  const Shape per_channel{points * channels()};
  require(scale.shape() == per_channel && shift.shape() == per_channel, kOp, ": scale ",
          scale.shape(), " and shift ", shift.shape(), " must be ", per_channel);
}

}  // namespace topograd
