#include "kernels/augment/augment.h"

#include <cmath>

namespace topograd {

namespace {

/// Every element of an i32 tensor must be in [0, bound). Tensors on a device are not
/// checked.
void check_range(const char* name, const Tensor& t, int64_t bound, const char* advice) {
  if (t.device() != Device::cpu) return;
  for (int64_t i = 0; i < t.size(); ++i) {
    const int32_t value = t.data<int32_t>()[i];
    require(0 <= value && value < bound, AugmentArgs::kOp, ": ", name, " has ", value, " at ", i,
            ", not in [0, ", bound, "); ", advice);
  }
}

}  // namespace

void AugmentArgs::check() const {
  require(y.shape().rank() == 4 && images.shape().rank() == 4 &&
              images.shape().with_first(y.dim(0)) == y.shape() &&
              (images.dtype() == DType::u8 || images.dtype() == DType::f32 ||
               images.dtype() == DType::f64),
          kOp, ": y ", y.shape(), " must hold images like those of ", images.shape(),
          ", which must be u8, f32 or f64, not ", name_of(images.dtype()));
  require(indices.shape() == Shape{y.dim(0)}, kOp, ": indices ", indices.shape(),
          " must be one per image of ", y.shape());
  check_range("indices", indices, images.dim(0), "it must name a stored image");
  if (offsets.defined()) {
    require(padding >= 0, kOp, ": the padding is negative: ", padding);
    require(offsets.shape() == (Shape{y.dim(0), 2}), kOp, ": offsets ", offsets.shape(),
            " must be two per image of ", y.shape());
    check_range("offsets", offsets, 2 * int64_t{padding} + 1, "0 to twice the padding fits");
  }
  if (flips.defined()) {
    require(flips.shape() == Shape{y.dim(0)}, kOp, ": flips ", flips.shape(),
            " must be one per image of ", y.shape());
    check_range("flips", flips, 2, "0 keeps, 1 mirrors");
  }
  require(mean != nullptr && std != nullptr, kOp, ": mean and std are missing");
  for (int64_t c = 0; c < y.dim(3); ++c)
    require(std::isfinite(mean[c]) && std[c] > 0, kOp, ": channel ", c, " has mean ", mean[c],
            " and std ", std[c], "; std must be above 0");
}

}  // namespace topograd
