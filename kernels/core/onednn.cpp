#include "kernels/core/onednn.h"

// Declared here rather than through <omp.h>, which belongs to a compiler: this is the runtime that
// the packaged oneDNN is linked to, whichever compiler builds this file.
extern "C" void omp_set_num_threads(int threads);

namespace topograd {

void use_one_onednn_thread() {
  omp_set_num_threads(1);
}

}  // namespace topograd
