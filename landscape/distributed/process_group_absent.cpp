// ProcessGroup for a build without MPI.
#include "landscape/distributed/process_group.h"

namespace topograd {

std::unique_ptr<ProcessGroup> init_process_group() {
  require_one_process("built without MPI: install libopenmpi-dev and build again");
  return single_process();
}

}  // namespace topograd
