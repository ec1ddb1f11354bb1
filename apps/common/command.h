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
  /// Refuses settings that make no sense together, before anything is computed. Throws Error.
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
  const char* group = "Compute";  ///< its title in the program's help
};

template <class C>
std::unique_ptr<Command> make_command() {
  return std::make_unique<C>();
}

/// Lets the command declare its options, and reads the words. Prints the help, and returns false,
/// where --help is among them. Throws UsageError, and Error for a value that makes no sense.
bool read_command_line(Command& command, Options& options, const std::vector<std::string>& words);

/// Returns the entry of this name. Throws UsageError that names all, and the nearest.
const CommandEntry& entry_named(const std::vector<CommandEntry>& entries, const std::string& name,
                                const std::string& program);

/// A line for every command, by group: "  landscape plot FILE...  figures of results".
std::string command_table(const std::vector<CommandEntry>& entries, const std::string& program);

}  // namespace topograd::cli
