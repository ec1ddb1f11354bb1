// The files that landscape's commands write, and continue: what they say of their making, and whose
// they are.
#pragma once

#include <string>
#include <vector>

#include "apps/cli.h"
#include "apps/model_file.h"
#include "landscape/provenance.h"
#include "landscape/surface.h"

namespace topograd {

/// model, model_name, model_file and model_hash.
void describe_model(Provenance& provenance, const LoadedModel& model);
/// version and command, and the device where it is not the CPU; `typed` is what the user wrote.
void describe_run(Provenance& provenance, Device device, const std::string& typed);

/// Whether a file is there. Throws Error where it is a folder.
bool is_there(const std::string& output);

/// Throws Error where a saved file belongs to another command: where the two disagree on one of the
/// keys, or there are other reasons.
void require_same_command(const std::string& output, const Provenance& saved,
                          const Provenance& asked, const std::vector<std::string>& keys,
                          std::vector<std::string> reasons = {});

/// Takes over the points of the output file, where it is there and the same command's, and writes
/// what is yet to be finished: a place that cannot be written should fail now, not in an hour.
void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys);

}  // namespace topograd
