// The processes that compute one surface together, started by an MPI launcher.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace topograd {

/// Processes with ranks. Rank zero owns the surface's file and is the only one that prints. Only
/// the main thread calls it.
class ProcessGroup {
 public:
  struct Message {
    int from;
    std::string bytes;
  };

  virtual ~ProcessGroup() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool is_rank_zero() const { return rank() == 0; }

  /// Returns this process's share of the processors that it and others on its node may use.
  virtual int threads() const = 0;

  /// Returns every rank's text, by rank. A barrier: all ranks must call it.
  virtual std::vector<std::string> gather(const std::string& text) = 0;

  /// Sends a message to one rank. Messages between two ranks arrive whole and in order.
  virtual void send(int to, const std::string& bytes) = 0;
  /// Returns the next message from any rank, if there is one.
  virtual std::optional<Message> receive() = 0;
};

/// Returns the group of the launched processes; single_process() without a launcher. Redirects the
/// output of all ranks but zero to /dev/null. Throws Error if several processes were launched and
/// this build has no MPI.
std::unique_ptr<ProcessGroup> init_process_group();

/// Throws Error "started as N processes, but <reason>" on rank zero if a launcher started several,
/// and ends the other ranks without a word.
void require_one_process(const std::string& reason);

/// Returns a group of this process alone.
std::unique_ptr<ProcessGroup> single_process();

/// Returns the value of the first of these environment variables that is set; launchers set some.
std::optional<std::string> first_in_environment(const std::vector<const char*>& names);

/// Throws, on all ranks, the error of the lowest rank whose `error` is not empty. A barrier: all
/// ranks must call it.
void throw_on_all_ranks(ProcessGroup& group, const std::string& error);

/// Runs `work` on every rank; all ranks must call it. If it throws on one rank, all ranks throw
/// that rank's error, or Interrupted if it threw that.
void run_on_all_ranks(ProcessGroup& group, const std::function<void()>& work);

}  // namespace topograd
