// The checkpoint that a command line names.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation/model_data.h"

namespace topograd {

/// Returns the checkpoint that a word of the command line names: the file, or of a training's folder
/// its model.safetensors. Throws Error if the word is empty (`usage` is how it should be written:
/// "hessian MODEL"), or the folder's training has not finished.
std::string required_model(const std::string& word, const std::string& usage);

/// Replaces each word by the checkpoint that it names.
void require_models(std::vector<std::string>& words, const std::string& usage);

/// Prints clean_labels_note(), if there is one, as a note of `program`.
void note_clean_labels(const LoadedModel& model, const std::string& program);

}  // namespace topograd
