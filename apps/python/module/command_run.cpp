#include "apps/python/module/command_run.h"

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include "apps/common/command.h"
#include "apps/landscape/commands.h"
#include "apps/python/module/unlocked.h"
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

/// Consoles of the commands that run, for stop_all().
class RunningConsoles {
 public:
  void add(HostedConsole* console) {
    const std::lock_guard lock(mutex_);
    consoles_.insert(console);
  }
  void remove(HostedConsole* console) {
    const std::lock_guard lock(mutex_);
    consoles_.erase(console);
    one_ended_.notify_all();
  }
  void stop_all() {
    std::unique_lock lock(mutex_);
    for (HostedConsole* console : consoles_) console->ask_to_stop();
    one_ended_.wait(lock, [&] { return consoles_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable one_ended_;
  std::set<HostedConsole*> consoles_;
};

/// Returns this process's: a child of fork() has none of its parent's commands.
RunningConsoles& running_consoles() {
  static std::map<pid_t, RunningConsoles> of_processes;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return of_processes[::getpid()];
}

/// Scope of a call of run_command(), which ends with the interpreter's lock held: whoever waits for it
/// knows that its thread is back in Python.
class Registration {
 public:
  explicit Registration(HostedConsole& console) : console_(console) {
    running_consoles().add(&console_);
  }
  ~Registration() { running_consoles().remove(&console_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  HostedConsole& console_;
};

/// A command that runs in a thread of its own.
class RunningCommand {
 public:
  RunningCommand(const std::vector<std::string>& words, HostedConsole& console) {
    try {
      thread_ = std::thread([this, &words, &console] { run(words, console); });
    } catch (const std::system_error& error) {
      fail("no thread can be started: ", error.what());
    }
  }

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
    } catch (const Error&) {
      failure_ = std::current_exception();
    } catch (const std::bad_alloc&) {
      failure_ = std::current_exception();
    } catch (const std::exception& error) {
      failure_ = std::make_exception_ptr(Error(error.what()));
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
  std::thread thread_;
};

}  // namespace

CommandOutcome run_command(const std::vector<std::string>& words, const Watch& watch) {
  HostedConsole console;
  const Registration registration(console);
  std::exception_ptr raised;  // in this thread, by a signal or by `watch`
  const auto look = [&] {
    if (interpreter_ends()) console.ask_to_stop();
    if (raised || interpreter_ends()) return;
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
    const Unlocked unlocked;
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

void stop_all() {
  running_consoles().stop_all();
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
