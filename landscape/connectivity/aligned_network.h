// A network with its channels in the order in which its weights are closest to another's.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernels/core/thread_pool.h"
#include "landscape/connectivity/channel_groups.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"

namespace topograd {

struct AlignedNetwork {
  PermutedNetwork network;
  /// Products and distances of the weights before and after, sweeps, groups, logit_difference.
  std::map<std::string, double> facts;
};

/// Returns b aligned to a, two networks of one graph; nothing where the observer asked to stop. The
/// result has been run against b, in double, on the first of the images. Throws Error where no
/// channels can change places.
std::optional<AlignedNetwork> align_network(const LoadedModel& a, const LoadedModel& b,
                                            uint64_t seed, const ImageSets& images,
                                            ThreadPool& pool, Observer& observer);

/// Returns the largest difference of two networks' logits over a few of the images, as a share of
/// the largest logit, in double; NaN where a logit is no number.
double difference_of_logits(const Graph& graph, const ModelState& a, const PermutedNetwork& b,
                            const LabelledImages& images);

}  // namespace topograd
