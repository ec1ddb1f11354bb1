// The processes that compute one surface together, started by an MPI launcher.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace topograd {

/// Rank zero owns the surface's file and is the only one that prints. All calls are made by the main
/// thread.
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

  /// Returns this process's share of the processors that it and others of its node may use.
  virtual int threads() const = 0;

  /// Returns every rank's text, by rank. A barrier: all ranks must call it.
  virtual std::vector<std::string> gather(const std::string& text) = 0;

  /// Sends a message to one rank. Messages between two ranks arrive whole and in order.
  virtual void send(int to, const std::string& bytes) = 0;
  /// Returns the next message from any rank, if there is one.
  virtual std::optional<Message> receive() = 0;
};

/// Joins the processes of the launch; a single one, without any MPI, where there was no launcher.
/// From now on all ranks but zero are silent: what they print goes nowhere. Throws Error where
/// several processes were launched and this build has no MPI.
std::unique_ptr<ProcessGroup> init_process_group();

/// Throws Error "started as N processes, but <reason>" where a launcher started several; only rank
/// zero's message is seen.
void require_one_process(const std::string& reason);

/// Returns a group of this process alone.
std::unique_ptr<ProcessGroup> single_process();

/// Returns the value of the first of these environment variables that is set: launchers leave some.
std::optional<std::string> first_in_environment(const std::vector<const char*>& names);

/// Throws the error of the lowest rank that hands one in, on all ranks; nothing where none does.
/// All ranks must call it.
void throw_on_all_ranks(ProcessGroup& group, const std::string& error);

/// Runs `work` on every rank; all ranks must call it. Where it throws on one rank, all ranks throw
/// that rank's error, or Interrupted where that is what it threw.
void run_on_all_ranks(ProcessGroup& group, const std::function<void()>& work);

}  // namespace topograd
