// Files of results that a repeated command continues.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/provenance.h"

namespace topograd {

/// Returns whether a file is there. Throws Error where `output` is a folder, or empty.
bool is_there(const std::string& output);

/// Throws Error where a saved file belongs to another command: where the two disagree on one of the
/// keys, or there are other reasons.
void require_same_command(const std::string& output, const Provenance& saved,
                          const Provenance& asked, const std::vector<std::string>& keys,
                          std::vector<std::string> reasons = {});

}  // namespace topograd
