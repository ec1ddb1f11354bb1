#include "kernels/sgd/sgd.h"

#include <cmath>

namespace topograd {

void SgdArgs::check() const {
  const auto alike = [&](const char* name, const Tensor& t) {
    require(t.defined() && t.shape() == theta.shape() && t.dtype() == theta.dtype(), kOp, ": ",
            name, " ", t.shape(), " must be like theta ", theta.shape());
  };
  alike("gradient", gradient);
  require(momentum >= 0 && std::isfinite(momentum), kOp, ": momentum must be at least 0, got ",
          momentum);
  if (momentum > 0) alike("momentum_buffer", momentum_buffer);
  if (decay_mask.defined()) alike("decay_mask", decay_mask);
  require(!nesterov || momentum > 0, kOp, ": Nesterov's step needs a momentum above 0");
  require(std::isfinite(learning_rate) && std::isfinite(weight_decay), kOp, ": learning rate ",
          learning_rate, " and weight decay ", weight_decay, " must be finite");
}

}  // namespace topograd
