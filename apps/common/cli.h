// Errors, interruption and folders of the command-line programs.
#pragma once

#include <functional>
#include <string>

#include "apps/common/console.h"

namespace topograd::cli {

class Options;

/// Runs a program's body; returns the exit status. An Error becomes one line on stderr and status 1
/// (2 for a UsageError), and so does a standard output that cannot be written. `name` stands before
/// every message.
int run_program(const std::string& name, const std::function<int()>& body);

/// Says, in a message of run_program() for want of memory, what would need less in the command that
/// runs, whose options these are.
void advise_on_memory(const Options& options);

/// Makes SIGINT, SIGTERM and SIGHUP set a flag from now on; a second signal ends the process.
void catch_interruption();
/// Returns that flag.
bool interrupted();
/// Exit status of a program ended by SIGINT, by the shell's convention.
constexpr int kInterruptedStatus = 130;

/// Runs a computation and what follows it; returns what `body` returns. If it was interrupted, says
/// what is saved and returns kInterruptedStatus.
int run_interruptible(const std::string& program, const std::function<int()>& body);

/// Throws Error where the name of what has to be a folder is a file's, as "x.h5" is: whoever typed it
/// meant one file. A folder that is there may be called as it likes.
void require_folder_name(const std::string& path);

/// Creates the folder (and its parents) unless it exists. Throws Error if it cannot be written, or as
/// require_folder_name().
void make_folder(const std::string& path);

}  // namespace topograd::cli
