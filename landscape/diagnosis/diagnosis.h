// Diagnosis of a network and its images: what makes pictures of a loss misleading, and is mostly
// taken for a fault of something else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "kernels/loss/loss_function.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"

namespace topograd {

/// What was found on one subject, in a line.
struct Finding {
  bool warning = false;
  std::string subject;  ///< "accuracy"
  std::string text;     ///< "93.2 % of the images; by chance it would be 10 %"
};

struct DiagnosisSettings {
  Loss loss{};
  uint64_t seed = 1;                                          ///< of the random direction
  std::vector<std::pair<std::string, std::string>> forced{};  ///< see EvaluationSpec::forced
};

/// Examines, over the first of the image sets: whether weights and statistics are finite; whether
/// the accuracy is more than chance; whether BatchNorm's running statistics fit the weights (the
/// loss with statistics of these images instead); whether the network is at a minimum (how far a
/// step along the gradient lowers the loss); which range of a filter-normalised random direction
/// shows the minimum. A network that is not finite is not examined further. Throws Interrupted if
/// the observer asks to stop.
std::vector<Finding> diagnose(const DiagnosisSettings& settings, const LoadedModel& model,
                              const ImageSets& images, ThreadPool& pool, Observer& observer);

}  // namespace topograd
