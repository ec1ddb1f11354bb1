// The focal loss as a function of the cross-entropy, on the device.
#pragma once

#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

/// f(l) = (1 - exp(-l))^g l and its derivatives. With m = 1 - exp(-l), formed without cancellation:
///   f'  = m^g (1 + g exp(-l) l / m)
///   f'' = g m^(g-1) (exp(-l) (2 - l) + (g - 1) exp(-l) exp(-l) l / m)
/// f'' multiplies the square of a gradient that is 0 where m is: it is 0 there, though m^(g-1) may
/// be infinite.
struct FocalTerms {
  double value, slope, bend;
  __device__ FocalTerms(double l, double g) {
    const double m = -expm1(-l), e = exp(-l);
    const double tail = m == 0 ? 1 : e == 0 ? 0 : e * l / m;
    value = pow(m, g) * l;
    slope = pow(m, g) * (1 + g * tail);
    bend = m == 0 || e == 0 ? 0 : g * pow(m, g - 1) * (e * (2 - l) + (g - 1) * e * tail);
  }
};

}  // namespace topograd::TOPOGRAD_BACKEND
