// ProcessGroup over MPI.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>

#include "kernels/core/check.h"
#include "landscape/distributed/process_group.h"

namespace topograd {

namespace {

constexpr int kTag = 1;

int count_of(const std::string& bytes) {
  return static_cast<int>(bytes.size());
}

class MpiProcessGroup : public ProcessGroup {
 public:
  MpiProcessGroup() {
    int provided = 0;
    // Only the main thread calls MPI. A failing call ends the process with MPI's own message.
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    threads_ = share_of_processors();
    if (rank_ == 0) return;
    require(std::freopen("/dev/null", "w", stdout) && std::freopen("/dev/null", "w", stderr),
            "cannot open /dev/null");
  }
  ~MpiProcessGroup() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int threads() const override { return threads_; }

  std::vector<std::string> gather(const std::string& text) override {
    const int mine = count_of(text);
    std::vector<int> counts(static_cast<size_t>(size_)), places(counts);
    MPI_Allgather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, MPI_COMM_WORLD);
    int total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      places[i] = total;
      total += counts[i];
    }
    std::string all(static_cast<size_t>(total), ' ');
    MPI_Allgatherv(text.data(), mine, MPI_CHAR, all.data(), counts.data(), places.data(), MPI_CHAR,
                   MPI_COMM_WORLD);
    std::vector<std::string> texts;
    for (size_t i = 0; i < counts.size(); ++i)
      texts.push_back(all.substr(static_cast<size_t>(places[i]), static_cast<size_t>(counts[i])));
    return texts;
  }

  void send(int to, const std::string& bytes) override {
    MPI_Send(bytes.data(), count_of(bytes), MPI_CHAR, to, kTag, MPI_COMM_WORLD);
  }

  std::optional<Message> receive() override {
    int there = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &there, &status);
    if (!there) return std::nullopt;
    int count = 0;
    MPI_Get_count(&status, MPI_CHAR, &count);
    Message message{status.MPI_SOURCE, std::string(static_cast<size_t>(count), ' ')};
    MPI_Recv(message.bytes.data(), count, MPI_CHAR, message.from, kTag, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    return message;
  }

 private:
  /// Returns the processors of this process, each divided by the number of processes on this node
  /// that may use it: launchers bind some processes to their own processors and let others share.
  int share_of_processors() const {
    MPI_Comm node;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    int neighbours = 1;
    MPI_Comm_size(node, &neighbours);
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    std::vector<cpu_set_t> all(static_cast<size_t>(neighbours));
    MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all.data(), sizeof mine, MPI_BYTE, node);
    MPI_Comm_free(&node);
    double share = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &mine)) continue;
      share += 1.0 /
               static_cast<double>(std::count_if(all.begin(), all.end(), [&](const cpu_set_t& set) {
                 return CPU_ISSET(cpu, &set) != 0;
               }));
    }
    return std::max(1, static_cast<int>(share + 1e-9));
  }

  int rank_ = 0, size_ = 1;
  int threads_ = 1;
};

}  // namespace

std::unique_ptr<ProcessGroup> init_process_group() {
  // A start without a launcher should not pay for MPI_Init.
  if (!first_in_environment({"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "PMIX_RANK",
                             "MV2_COMM_WORLD_RANK", "SLURM_PROCID"}))
    return single_process();
  return std::make_unique<MpiProcessGroup>();
}

}  // namespace topograd
