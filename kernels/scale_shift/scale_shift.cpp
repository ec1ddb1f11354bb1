#include "kernels/scale_shift/scale_shift.h"

namespace topograd {

void ScaleShiftArgs::check() const {
  require(points > 0 && y.shape().rank() >= 2 && y.dim(0) % points == 0, kOp, ": y ", y.shape(),
          " does not divide among ", points, " points");
  const int last = y.shape().rank() - 1;
  bool alike = x.shape().rank() == y.shape().rank() &&
               (x.dim(0) == y.dim(0) || x.dim(0) == y.dim(0) / points);
  for (int i = 1; alike && i < last; ++i) alike = x.dim(i) == y.dim(i);
  require(alike && first >= 0 && first + channels() <= x_channels(), kOp, ": x ", x.shape(),
          " must hold, from channel ", first,
          " on, the images of every point, or those of one, of y ", y.shape());
  const Shape per_channel{points * channels()};
  require(scale.shape() == per_channel && shift.shape() == per_channel, kOp, ": scale ",
          scale.shape(), " and shift ", shift.shape(), " must be ", per_channel);
}

}  // namespace topograd
