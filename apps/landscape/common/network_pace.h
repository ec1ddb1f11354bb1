// How fast a network runs here: the measurements behind a plan's seconds.
#pragma once

#include <string>

#include "apps/common/run_plan.h"
#include "kernels/core/thread_pool.h"
#include "landscape/curvature/curvature_operator.h"
#include "landscape/evaluation/evaluation.h"
#include "landscape/results/workload.h"
#include "models/loaded_model.h"

namespace topograd {

/// Returns the seconds that one image takes at a point, evaluated as the spec says, at the network
/// itself and over the first of its first set's images.
double seconds_per_evaluation(const EvaluationSpec& spec, ThreadPool& pool,
                              cli::Measurement measurement);

/// Returns the seconds that the work takes, each of its parts at the pace of a few of the images.
double seconds_for(const Workload& work, const CurvatureSpec& network, ThreadPool& pool,
                   cli::Measurement measurement);

/// Returns what a plan calls a network: "one, resnet20 (option B, width 16)".
std::string network_in_words(const LoadedModel& model);

}  // namespace topograd
