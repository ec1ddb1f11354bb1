// --class-weights: how much an image counts in the loss, by its class.
#pragma once

#include <string>

#include "data/dataset.h"
#include "kernels/loss/loss_function.h"

namespace topograd {

/// Returns the loss with weights: numbers with commas between them, one for each class, or
/// "balanced", N / (C n) for a class with n of the N images, so that their mean over the images is
/// 1. An empty text leaves the loss as it is. Throws Error for anything else, another number of
/// classes, and "balanced" where a class has no image or images have no classes.
Loss with_class_weights(Loss loss, const std::string& weights, const Dataset& train);

}  // namespace topograd
