#include "kernels/resize/resize.h"

namespace topograd {

namespace {

void check_images(std::string_view op, const Tensor& image, const Tensor& resized,
                  const ResizeGeometry& g) {
  require(image.shape().rank() == 4 && resized.shape().rank() == 4, op,
          ": expected [N,H,W,C] tensors, got ", image.shape(), " and ", resized.shape());
  require(image.dim(0) == resized.dim(0) && image.dim(3) == resized.dim(3) &&
              image.dtype() == resized.dtype(),
          op, ": ", image.shape(),
          " resizes to as many images of as many channels of the same "
          "type, not to ",
          resized.shape());
  require(image.dim(1) >= 1 && image.dim(2) >= 1 && resized.dim(1) >= 1 && resized.dim(2) >= 1, op,
          ": ", image.shape(), " and ", resized.shape(), " must have pixels");
  require(g.scale_h >= 0 && g.scale_w >= 0, op,
          ": scales must be above 0, or 0 for the extents' "
          "ratio, got ",
          g.scale_h, " and ", g.scale_w);
  require(g.kind == ResizeKind::bilinear || !g.align_corners, op,
          ": align_corners belongs to bilinear resizing");
}

}  // namespace

std::string_view name_of(ResizeKind kind) {
  return kind == ResizeKind::nearest ? "nearest" : "bilinear";
}

void ResizeForwardArgs::check() const {
  check_images(kOp, x, y, geometry);
}

void ResizeBackwardArgs::check() const {
  check_images(kOp, dx, dy, geometry);
}

}  // namespace topograd
