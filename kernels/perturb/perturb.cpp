#include "kernels/perturb/perturb.h"

namespace topograd {

void PerturbArgs::check() const {
  const auto alike = [&](const char* name, const Tensor& t) {
    require(t.shape() == w.shape() && t.dtype() == w.dtype(), kOp, ": ", name, " ", t.shape(),
            " of ", name_of(t.dtype()), " must be like w ", w.shape(), " of ", name_of(w.dtype()));
  };
  alike("theta", theta);
  if (delta.defined()) alike("delta", delta);
  if (eta.defined()) alike("eta", eta);
}

}  // namespace topograd
