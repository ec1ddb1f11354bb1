// The options that say what images are normalised by.
#pragma once

#include <optional>
#include <string>

#include "apps/common/options.h"
#include "data/dataset.h"

namespace topograd::cli {

/// Declares --normalisation, --mean and --std in the group "Data"; `usual` says what counts without
/// them. check(Normalisation) finds out whether --mean and --std fit.
void add_normalisation_options(Options& options, std::optional<Normalisation>& chosen,
                               const std::string& usual);

}  // namespace topograd::cli
