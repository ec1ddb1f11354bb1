// A network and a data set: whether they fit, and the labels that the network was trained with.
#pragma once

#include <string>

#include "data/load.h"
#include "models/loaded_model.h"

namespace topograd {

/// Throws Error unless the model takes images and classes like these; `source` names the data.
void require_fitting_data(const ModelSpec& spec, const Dataset& data, const std::string& source);

/// Returns the training images as the checkpoint's run saw them, with the noisy labels of train
/// --label-noise. Throws Error where that run had none, or `train`, read from `source`, are not its
/// images.
Dataset noisy_training_data(const LoadedModel& model, const Dataset& train,
                            const std::string& source);

/// Returns a line for the reader saying that the labels are the clean ones, where the checkpoint
/// was trained on noisy ones; nothing where it was not.
std::string clean_labels_note(const LoadedModel& model);

}  // namespace topograd
