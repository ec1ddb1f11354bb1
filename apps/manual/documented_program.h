// A program's commands with their options, from which manual pages and completion are made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/common/command.h"

namespace topograd {

/// Command with the options that it declares.
struct DocumentedCommand {
  cli::CommandEntry entry;                ///< its name is empty where the program has no commands
  std::unique_ptr<cli::Command> command;  ///< holds the settings that the options are bound to
  std::unique_ptr<cli::Options> options;

  /// Returns the command as it is typed: "landscape hessian".
  const std::string& typed() const { return options->program(); }
  /// Returns the name of its manual page: "landscape-hessian".
  std::string page() const;
};

struct DocumentedProgram {
  std::string name;     ///< "landscape"
  std::string summary;  ///< "map the landscape of a network's loss"
  std::string about;    ///< a paragraph or more; empty where the program has no commands
  std::vector<DocumentedCommand> commands;

  /// Returns whether its first word is a command; else `commands` is one command without a name.
  bool has_commands() const { return !about.empty(); }
};

/// Returns a program's command with the options that it declares, and --help.
DocumentedCommand documented(const std::string& program, const cli::CommandEntry& entry);

/// Returns landscape with every command of its list.
DocumentedProgram documented_landscape();

/// Returns train, which has no commands.
DocumentedProgram documented_train();

/// Returns the options that --help shows.
std::vector<cli::OptionEntry> shown_options(const cli::Options& options);
/// Returns an option's names as they are typed: "--output", then "-o" and older spellings.
std::vector<std::string> typed_names(const cli::OptionEntry& entry);

}  // namespace topograd
