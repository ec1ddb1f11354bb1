// The processes that compute one surface together, started by an MPI launcher.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace topograd {

/// Rank 0 leads: it owns the surface's file and is the only one that prints. Calls are the main
/// thread's alone.
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

  /// This process's share of the processors that it and others of its node may use.
  virtual int threads() const = 0;

  /// Everybody's text, by rank. All ranks must call it, and wait for each other.
  virtual std::vector<std::string> gather(const std::string& text) = 0;

  /// Messages between two ranks arrive whole and in order.
  virtual void send(int to, const std::string& bytes) = 0;
  /// The next message from anybody, if there is one.
  virtual std::optional<Message> receive() = 0;
};

/// All processes of the launch; one, and no MPI at all, where there was no launcher. From now on
/// all but rank 0 are silent: what they print goes nowhere. Throws Error where several processes
/// were launched and this build has no MPI.
std::unique_ptr<ProcessGroup> init_process_group();

/// Throws Error "started as N processes, but <reason>" where a launcher started several; rank 0's
/// alone is seen.
void require_one_process(const std::string& reason);

/// A process on its own.
std::unique_ptr<ProcessGroup> single_process();

/// The value of the first of the environment's variables that is there: launchers leave these.
std::optional<std::string> first_in_environment(const std::vector<const char*>& names);

/// Throws the error of the lowest rank that hands one in, on all ranks; nothing where none does.
/// All ranks must call it.
void throw_on_all_ranks(ProcessGroup& ranks, const std::string& error);

}  // namespace topograd
