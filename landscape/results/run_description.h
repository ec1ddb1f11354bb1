// Provenance of a result's making: the network, the program, the device, the command.
#pragma once

#include <string>

#include "kernels/core/device.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

/// Sets model, model_name, model_file, network (what to call it) and model_hash.
void describe_model(Provenance& provenance, const LoadedModel& model);

/// Sets version and command, and the device unless it is the CPU; `typed` is the command as the
/// user wrote it.
void describe_run(Provenance& provenance, Device device, const std::string& typed);

}  // namespace topograd
