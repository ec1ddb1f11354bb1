#include "apps/python/module/command_run.h"

#include <pybind11/pybind11.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>

#include "apps/common/command.h"
#include "apps/landscape/commands.h"
#include "apps/train/train_command.h"
#include "kernels/core/output_claim.h"

namespace topograd::python {

namespace {

namespace py = pybind11;

constexpr auto kBetweenLooks = std::chrono::milliseconds(50);

/// A command as it is typed: {"train", ...} or {"landscape", "surface", ...}.
struct NamedCommand {
  explicit NamedCommand(const std::vector<std::string>& words) {
    if (words.at(0) == "train")
      command = std::make_unique<TrainCommand>();
    else
      command = cli::entry_named(landscape_commands(), words.at(1), "landscape").make();
    names = words[0] == "train" ? 1 : 2;
  }

  std::unique_ptr<cli::Command> command;
  std::ptrdiff_t names = 1;  ///< words that name it
};

/// Runs the command in this thread; returns the exit status.
int run_here(const std::vector<std::string>& words) {
  const NamedCommand named(words);
  cli::Command* const command = named.command.get();
  const InputScope scope;
  cli::Options options(text(words[0], named.names > 1 ? " " + words[1] : ""));
  if (!cli::read_command_line(*command, options, {words.begin() + named.names, words.end()}))
    return 0;
  command->check(options);
  const std::vector<OutputClaim> claims = options.claim_outputs();
  return command->run(cli::shell_quoted(words));
}

/// A command that runs in a thread of its own.
class RunningCommand {
 public:
  RunningCommand(const std::vector<std::string>& words, HostedConsole& console)
      : thread_([this, &words, &console] { run(words, console); }) {}

  ~RunningCommand() {
    if (thread_.joinable()) thread_.join();
  }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  /// Waits a moment; returns whether the command has ended.
  bool wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, time, [&] { return has_ended_; });
  }
  /// Returns the status, or throws what the command threw. It must have ended.
  int status() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return status_;
  }

 private:
  void run(const std::vector<std::string>& words, HostedConsole& console) {
    try {
      const cli::ConsoleScope scope(console);
      status_ = run_here(words);
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  int status_ = 0;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the other members
};

}  // namespace

CommandOutcome run_command(const std::vector<std::string>& words, const Watch& watch) {
  HostedConsole console;
  std::exception_ptr raised;  // in this thread, by a signal or by `watch`
  const auto look = [&] {
    if (raised) return;
    try {
      const py::gil_scoped_acquire locked;
      watch(console.progress(), console.take_lines());
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    } catch (...) {
      raised = std::current_exception();
      console.ask_to_stop();
    }
  };
  CommandOutcome outcome;
  {
    const py::gil_scoped_release unlocked;
    RunningCommand command(words, console);
    while (!command.wait(kBetweenLooks)) look();
    try {
      outcome.status = command.status();
    } catch (...) {
      look();
      throw;
    }
    look();
  }
  if (raised) std::rethrow_exception(raised);
  outcome.results = console.results();
  return outcome;
}

std::vector<cli::OptionEntry> options_of(const std::vector<std::string>& command) {
  const NamedCommand named(command);
  cli::Options options(command[0]);
  named.command->add_options(options);
  std::vector<cli::OptionEntry> shown = options.entries();
  std::erase_if(shown, [](const cli::OptionEntry& entry) { return entry.hidden; });
  return shown;
}

}  // namespace topograd::python
