// The command that made a result, taken from its provenance to be run again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// What differs from the command as it was typed.
struct CommandChanges {
  std::optional<std::string> model;  ///< the network, where it lies elsewhere now
  std::optional<std::string> data;   ///< the images' folder, likewise
  std::optional<int> threads;
  std::string output;  ///< file of the results
  std::string folder;  ///< folder of all that is written beside them
};

/// Command of a program: "surface", and its words.
struct RecordedCommand {
  std::string name;
  std::vector<std::string> words;
};

/// Returns the command that made the record, with the changes. It writes in `folder` alone: options
/// that name other files to be written are left out, and so are pictures. Of the options only those
/// that the command has today are taken. Throws Error if the record does not say what made it, if
/// it was no command that computes, or if a file of directions that it read is gone.
RecordedCommand recorded_command(const Record& record, const CommandChanges& changes);

}  // namespace topograd
