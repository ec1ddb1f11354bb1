// What the command-line programs share: errors, interruption, folders.
#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <string>

namespace topograd::cli {

/// Runs a program's body: an Error becomes one line on stderr and exit status 1 (a UsageError 2),
/// and so does a standard output that takes nothing. `name` stands before every message.
int run_program(const std::string& name, const std::function<int()>& body);

/// Writes one line to stderr, in one write: lines of several programs, or of a launcher and its
/// processes, stay whole.
template <class... Parts>
void say(const Parts&... parts) {
  std::ostringstream line;
  (line << ... << parts) << '\n';
  std::cerr << line.str();
}

/// From now on SIGINT and SIGTERM only set a flag; a second one ends the process.
void catch_interruption();
bool interrupted();
/// The shell's convention for a program ended by SIGINT.
constexpr int kInterruptedStatus = 130;

/// Creates the folder (and its parents) unless it is there, and makes sure that it can be written.
void make_folder(const std::string& path);

}  // namespace topograd::cli
