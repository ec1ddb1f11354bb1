// Checks that a network and a data set fit, and restores the labels the network was trained with.
#pragma once

#include <optional>
#include <string>

#include "data/load.h"
#include "kernels/loss/loss_function.h"
#include "models/loaded_model.h"

namespace topograd {

/// Throws Error unless the model's image size, channels and classes are the data's; `source` names
/// the data in the message.
void require_fitting_data(const Graph& graph, const Dataset& data, const std::string& source);

/// Throws Error where images' targets are numbers that the loss is not of: probabilities of
/// cross_entropy that are negative or do not sum to 1, targets of bce beyond 0 and 1, of focal other
/// than these two; or where it is of classes alone. `source` names the data in the message.
void require_fitting_targets(const Loss& loss, const Tensor& labels, const std::string& source);

/// Returns the loss that the network was trained with, without label smoothing; cross_entropy where
/// its checkpoint does not say.
Loss trained_loss(const CheckpointInfo& network);

/// Returns what was chosen, or else the source of the images that the model was trained on, as its
/// checkpoint has it. Throws Error where that says none.
std::string data_source(const LoadedModel& model, const std::string& chosen);

/// Loads the data of the spec, with the model's image size; of a spec without a source those that
/// the model was trained on. Throws Error where these are not there, or are others now.
DataSplits load_data_for(const LoadedModel& model, DataSpec spec);

/// Returns the constants that were chosen, or else those that the model was trained with. Throws
/// Error where they are for another number of channels.
Normalisation normalisation_of(const LoadedModel& model,
                               const std::optional<Normalisation>& chosen);

/// Returns the training images of the checkpoint's run with its noisy labels (train --label-noise).
/// Throws Error if that run had none, or its images were not `train`, read from `source`.
Dataset noisy_training_data(const LoadedModel& model, const Dataset& train,
                            const std::string& source);

/// Returns a note that the labels are clean if the checkpoint was trained on noisy ones; else "".
std::string clean_labels_note(const LoadedModel& model);

}  // namespace topograd
