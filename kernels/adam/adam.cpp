#include "kernels/adam/adam.h"

#include <cmath>

namespace topograd {

void AdamArgs::check() const {
  const auto alike = [&](const char* name, const Tensor& t) {
    require(t.shape() == theta.shape() && t.dtype() == theta.dtype(), kOp, ": ", name, " ",
            t.shape(), " must be like theta ", theta.shape());
  };
  alike("m", m);
  alike("v", v);
  alike("gradient", gradient);
  if (decay_mask.defined()) alike("decay_mask", decay_mask);
  require(0 <= beta1 && beta1 < 1 && 0 <= beta2 && beta2 < 1, kOp,
          ": beta1 and beta2 must be in [0, 1), got ", beta1, " and ", beta2);
  require(epsilon >= 0 && std::isfinite(epsilon), kOp, ": epsilon must be at least 0, got ",
          epsilon);
  require(std::isfinite(learning_rate) && std::isfinite(weight_decay), kOp, ": learning rate ",
          learning_rate, " and weight decay ", weight_decay, " must be finite");
  require(step >= 1, kOp, ": steps count from 1, got ", step);
}

}  // namespace topograd
