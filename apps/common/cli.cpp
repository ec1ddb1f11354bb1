#include "apps/common/cli.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "apps/common/options.h"
#include "kernels/core/check.h"
#include "kernels/core/output_claim.h"

namespace topograd::cli {

namespace {

/// Counted by a signal's handler, asked for by all threads.
std::atomic<int> interruptions = 0;
static_assert(std::atomic<int>::is_always_lock_free);

/// What needs less memory in the command that runs; literals, as there is none to spare.
const char* less_memory = "";

std::string last_line;  // ready before it is needed, when there may be no memory for it

/// Ends the program where an exception may not pass: the standard library allocates in places that
/// let none through. What lies half-written beside an output is removed by its next writer.
[[noreturn]] void end_without_memory() {
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, last_line.data(), last_line.size());
  _exit(1);
}

void note_interruption(int signal) {
  if (++interruptions > 1) _exit(128 + signal);
}

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  // Writing beyond the limit on file sizes is then an error like that of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  last_line = name + ": ended where it could not go on, most likely for lack of memory\n";
  std::set_terminate(end_without_memory);
  try {
    const InputScope scope;
    const int status = body();
    require(static_cast<bool>(std::cout.flush()), "cannot write to the standard output");
    return status;
  } catch (const UsageError& error) {
    say(name, ": ", error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    say(name, ": out of memory", less_memory);
  } catch (const std::exception& error) {
    say(name, ": ", error.what());
  }
  return 1;
}

void advise_on_memory(const Options& options) {
  const auto has = [&](const char* name) {
    const auto& entries = options.entries();
    return std::any_of(entries.begin(), entries.end(), [&](const OptionEntry& entry) {
      return !entry.hidden && entry.names.front() == name;
    });
  };
  if (!has("threads"))
    less_memory = "";
  else if (has("batch-size"))
    less_memory = "; a smaller --batch-size, or fewer --threads, need less";
  else if (has("images"))
    less_memory = "; fewer --threads, or fewer --images, need less";
  else
    less_memory = "; fewer --threads need less";
}

void catch_interruption() {
  std::signal(SIGINT, note_interruption);
  std::signal(SIGTERM, note_interruption);
  // A terminal that is closed ends the run as Ctrl-C does, unless nohup said that it should go on.
  if (std::signal(SIGHUP, note_interruption) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

bool interrupted() {
  return interruptions > 0;
}

int run_interruptible(const std::string& program, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Interrupted& interruption) {
    say(program, ": interrupted; ", interruption.what(), ": repeat the command to continue");
    return kInterruptedStatus;
  }
}

void require_folder_name(const std::string& path) {
  require(!path.empty(), "--output is empty: it names a folder");
  if (std::filesystem::is_directory(path)) return;
  for (const std::string suffix : {".h5", ".safetensors", ".json", ".csv"})
    require(!path.ends_with(suffix), path, " is a file's name, and a folder is needed: leave out ",
            suffix);
}

void make_folder(const std::string& path) {
  require_folder_name(path);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  require(!error, "cannot create the folder ", path, ": ", error.message());
  require(std::filesystem::is_directory(path), path, " is not a folder");
  require(::access(path.c_str(), W_OK) == 0, "cannot write into the folder ", path,
          ": permission denied");
}

}  // namespace topograd::cli
