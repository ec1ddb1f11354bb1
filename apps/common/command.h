// A command of a program: its name, its options and what it does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/common/options.h"

namespace topograd::cli {

/// Base of a command. Its settings are its members; the code that it calls sees no options.
class Command {
 public:
  virtual ~Command() = default;

  /// Declares options bound to the command's settings.
  virtual void add_options(Options& options) = 0;
  /// Throws Error for settings that make no sense together, before anything is computed.
  virtual void check(const Options&) {}
  /// Runs the command; returns the exit status. `typed` is the command line as the user wrote it,
  /// for the provenance of files.
  virtual int run(const std::string& typed) = 0;
};

/// Entry of a command in its program's list.
struct CommandEntry {
  const char* name;
  const char* arguments;  ///< in the program's help: "MODEL.safetensors"
  const char* summary;    ///< in the program's help: a line of what it computes or does
  std::unique_ptr<Command> (*make)();
  const char* group = "Compute";  ///< title above it in the program's help
};

template <class C>
std::unique_ptr<Command> make_command() {
  return std::make_unique<C>();
}

/// Options that every command has beside its own.
struct CommonOptions {
  std::string config;  ///< a file of options, which with_settings_files() has read already
  bool help = false;

  void add_to(Options& options);
};

/// Lets the command declare its options, and parses the words. If --help is among them, prints the
/// help and returns false. Throws UsageError, and Error for a value that makes no sense.
bool read_command_line(Command& command, Options& options, const std::vector<std::string>& words);

/// Returns the entry of this name. Throws UsageError, naming all entries and the nearest.
const CommandEntry& entry_named(const std::vector<CommandEntry>& entries, const std::string& name,
                                const std::string& program);

/// Returns a line for every command, by group: "  landscape plot FILE...  figures of results".
std::string command_table(const std::vector<CommandEntry>& entries, const std::string& program);

}  // namespace topograd::cli
