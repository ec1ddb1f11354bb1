// Commands of the programs, run within an interpreter of Python.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/python/module/hosted_console.h"

namespace topograd::python {

struct CommandOutcome {
  int status = 0;       ///< exit status; cli::kInterruptedStatus if it was stopped
  std::string results;  ///< what it printed
};

/// Called by the thread that waits, a few times a second and once at the end: takes the progress
/// and the lines said since. What it throws stops the command, and is thrown when that has ended.
using Watch = std::function<void(const HostedProgress&, const std::vector<std::string>& lines)>;

/// Runs a command, {"landscape", "surface", "--x", ...} or {"train", ...}, in a thread of its own,
/// and waits for it without the interpreter's lock, which `watch` is called with. Signals are looked
/// at meanwhile: Ctrl-C lets the command save what is finished. Throws what the command throws, and
/// pybind11::error_already_set for an interruption, when the command has ended. Whatever else than a
/// lack of memory the standard library throws is an Error.
CommandOutcome run_command(const std::vector<std::string>& words, const Watch& watch);

/// Makes all commands that run save what is finished and end, and waits until their calls are back in
/// Python: before the interpreter ends, which lets no thread take its lock any more. Must be called without
/// that lock.
void stop_all();

/// Returns the options of a command, {"landscape", "surface"} or {"train"}, as --help shows them.
std::vector<cli::OptionEntry> options_of(const std::vector<std::string>& command);

}  // namespace topograd::python
