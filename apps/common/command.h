// A command of a program: what it is called, the options that set its settings, what it does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/common/options.h"

namespace topograd::cli {

/// One command. Its settings are its members; nothing below it sees an option.
class Command {
 public:
  virtual ~Command() = default;

  /// Declares options bound to the command's settings.
  virtual void add_options(Options& options) = 0;
  /// Refuses settings that make no sense together, before anything is read. Throws Error.
  virtual void check(const Options&) {}
  /// Does it; returns the exit status. `typed` is the command as the user wrote it, for files.
  virtual int run(const std::string& typed) = 0;
};

/// A command's entry in its program's list.
struct CommandEntry {
  const char* name;
  const char* arguments;  ///< for the program's own help: "MODEL.safetensors"
  const char* summary;    ///< what it computes or does, for the same: a line
  std::unique_ptr<Command> (*make)();
};

template <class C>
std::unique_ptr<Command> make_command() {
  return std::make_unique<C>();
}

}  // namespace topograd::cli
