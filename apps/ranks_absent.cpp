// Ranks for a build without MPI.
#include <cstdio>

#include "apps/ranks.h"
#include "kernels/core/check.h"

namespace topograd {

std::unique_ptr<Ranks> join_ranks() {
  const auto size =
      first_in_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"});
  if (!size || *size == "1") return lonely_rank();
  const auto rank =
      first_in_environment({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"});
  if (rank && *rank != "0" && std::freopen("/dev/null", "w", stderr) == nullptr)
    return lonely_rank();
  fail("started as ", *size,
       " processes, but built without MPI: install libopenmpi-dev and build again");
}

}  // namespace topograd
