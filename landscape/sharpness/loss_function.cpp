#include "landscape/sharpness/loss_function.h"

namespace topograd {

const LossValue& LossFunction::centre() {
  if (!centre_) centre_ = at(theta(), 0.0);
  return *centre_;
}

}  // namespace topograd
