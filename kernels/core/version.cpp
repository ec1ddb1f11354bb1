#include "kernels/core/version.h"

namespace topograd {

const char* version() {
  return TOPOGRAD_VERSION;  // CMakeLists.txt's
}

}  // namespace topograd
