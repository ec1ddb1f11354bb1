#include "kernels/core/per_axis.h"

#include <ostream>

namespace topograd {

std::ostream& operator<<(std::ostream& out, const PerAxis& numbers) {
  out << numbers.h;
  if (numbers.w != numbers.h) out << 'x' << numbers.w;
  return out;
}

}  // namespace topograd
