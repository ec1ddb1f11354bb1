#include "landscape/results/loss_text.h"

#include <cmath>

#include "kernels/core/format.h"

namespace topograd {

std::string loss_text(double loss, int digits) {
  return std::fabs(loss) >= 1e4 ? significant(loss, 5) : decimals(loss, digits);
}

}  // namespace topograd
