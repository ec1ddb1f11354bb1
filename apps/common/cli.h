// Errors, interruption and folders of the command-line programs.
#pragma once

#include <functional>
#include <iostream>
#include <string>

#include "kernels/core/format.h"
#include "kernels/core/streams.h"

namespace topograd::cli {

class Options;

/// Runs a program's body; returns the exit status. An Error becomes one line on stderr and status 1
/// (2 for a UsageError), and so does a standard output that cannot be written. `name` stands before
/// every message.
int run_program(const std::string& name, const std::function<int()>& body);

/// Says, in a message of run_program() for want of memory, what would need less in the command that
/// runs, whose options these are.
void advise_on_memory(const Options& options);

/// Writes one printable line to stderr, in one write: lines of several processes do not mix.
template <class... Parts>
void say(const Parts&... parts) {
  TextWriter line;
  (line << ... << parts);
  std::cerr << printable(line.str()) + '\n';
}

/// Makes SIGINT, SIGTERM and SIGHUP set a flag from now on; a second signal ends the process.
void catch_interruption();
/// Returns that flag.
bool interrupted();
/// Exit status of a program ended by SIGINT, by the shell's convention.
constexpr int kInterruptedStatus = 130;

/// Creates the folder (and its parents) unless it exists. Throws Error if it cannot be written.
void make_folder(const std::string& path);

}  // namespace topograd::cli
