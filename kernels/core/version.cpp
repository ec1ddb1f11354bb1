#include "kernels/core/version.h"

namespace topograd {

const char* version() {
  return TOPOGRAD_VERSION;  // set in CMakeLists.txt
}

}  // namespace topograd
