// Losses in lines of text.
#pragma once

#include <string>

namespace topograd {

/// Formats a loss with so many digits behind the point, and from 10,000 on as five digits and a
/// power of ten, as of a training that goes astray: "0.0123", "5.0851e+11".
std::string loss_text(double loss, int digits);

}  // namespace topograd
