// The checkpoint that a command line names.
#pragma once

#include <string>

#include "landscape/evaluation/model_data.h"

namespace topograd {

/// Returns the path. Throws Error if it is empty: the command line names none. `usage` is how it
/// should be written: "hessian MODEL.safetensors".
std::string required_model(const std::string& path, const std::string& usage);

/// Prints clean_labels_note(), if there is one, as a note of `program`.
void note_clean_labels(const LoadedModel& model, const std::string& program);

}  // namespace topograd
