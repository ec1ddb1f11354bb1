// What decides the result of a training run, as text.
#pragma once

#include <string>

#include "apps/train/training_run.h"

namespace topograd {

/// Describes a run as one line of JSON: two runs with equal text and equal data end in the same
/// weights. The data are named by the hash of `train` as it was read, without noise.
std::string config_json(const RunSettings& settings, const Dataset& train, Device device);

/// Throws Error that names what differs between the saved run's configuration and this one's.
void require_same_config(const std::string& path, const std::string& saved,
                         const std::string& asked);

}  // namespace topograd
