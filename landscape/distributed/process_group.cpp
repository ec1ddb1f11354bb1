#include "landscape/distributed/process_group.h"

#include <cstdlib>

#include "kernels/core/check.h"
#include "kernels/core/thread_pool.h"
#include "landscape/results/observer.h"

namespace topograd {

namespace {

class SingleProcess : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int threads() const override { return ThreadPool::processors(); }
  std::vector<std::string> gather(const std::string& text) override { return {text}; }
  void send(int, const std::string&) override { fail("a process on its own has nobody to tell"); }
  std::optional<Message> receive() override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<ProcessGroup> single_process() {
  return std::make_unique<SingleProcess>();
}

std::optional<std::string> first_in_environment(const std::vector<const char*>& names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name)) return value;
  return std::nullopt;
}

void require_one_process(const std::string& reason) {
  const auto size =
      first_in_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"});
  if (!size || *size == "1") return;
  const auto rank =
      first_in_environment({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"});
  // One message is enough; without a known rank, every process prints it. A launcher that sees
  // another rank fail kills rank zero before its message is through: the others succeed.
  if (rank && *rank != "0") std::exit(0);
  fail("started as ", *size, " processes, but ", reason);
}

void throw_on_all_ranks(ProcessGroup& group, const std::string& error) {
  const std::vector<std::string> errors = group.gather(error);
  for (size_t rank = 0; rank < errors.size(); ++rank) {
    if (errors[rank].empty()) continue;
    if (rank == 0) fail(errors[rank]);
    fail("rank ", rank, ": ", errors[rank]);
  }
}

void run_on_all_ranks(ProcessGroup& group, const std::function<void()>& work) {
  if (group.size() == 1) return work();
  std::string error, interruption;
  try {
    work();
  } catch (const Interrupted& stopped) {
    interruption = stopped.what();
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  throw_on_all_ranks(group, error);
  for (const std::string& stopped : group.gather(interruption))
    if (!stopped.empty()) throw Interrupted(stopped);
}

}  // namespace topograd
