// Ranks for a build without MPI.
#include "apps/ranks.h"

namespace topograd {

std::unique_ptr<Ranks> join_ranks() {
  require_one_process("built without MPI: install libopenmpi-dev and build again");
  return lonely_rank();
}

}  // namespace topograd
