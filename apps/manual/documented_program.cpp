#include "apps/manual/documented_program.h"

#include <algorithm>

#include "apps/landscape/commands.h"
#include "apps/train/train_command.h"

namespace topograd {

DocumentedCommand documented(const std::string& program, const cli::CommandEntry& entry) {
  const std::string name = entry.name;
  DocumentedCommand result{
      entry, entry.make(),
      std::make_unique<cli::Options>(name.empty() ? program : program + " " + name)};
  result.command->add_options(*result.options);
  static cli::CommonOptions common;  // nothing is parsed here
  common.add_to(*result.options);
  return result;
}

std::string DocumentedCommand::page() const {
  std::string name = typed();
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

DocumentedProgram documented_landscape() {
  DocumentedProgram program{
      "landscape",
      "map the landscape of a network's loss",
      "Computes the loss of a trained network on lines and planes through it, measures what shape "
      "it has there, and draws, exports and reports the results. Surfaces and lines are HDF5 files "
      "in "
      "the layout of the paper's authors, and pictures as SVG and PNG. Ctrl-C saves; the same "
      "command continues.",
      {}};
  for (const cli::CommandEntry& entry : landscape_commands())
    program.commands.push_back(documented(program.name, entry));
  return program;
}

DocumentedProgram documented_train() {
  DocumentedProgram program{
      "train", "train a network for the loss landscape, or evaluate one", "", {}};
  program.commands.push_back(documented(
      program.name, {"", "", "train a network, or evaluate one", cli::make_command<TrainCommand>}));
  return program;
}

std::vector<cli::OptionEntry> shown_options(const cli::Options& options) {
  std::vector<cli::OptionEntry> shown;
  for (const cli::OptionEntry& entry : options.entries())
    if (!entry.hidden) shown.push_back(entry);
  return shown;
}

std::vector<std::string> typed_names(const cli::OptionEntry& entry) {
  std::vector<std::string> names;
  for (const std::string& name : entry.names)
    names.push_back((name.size() == 1 && !names.empty() ? "-" : "--") + name);
  return names;
}

}  // namespace topograd
