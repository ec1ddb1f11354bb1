// What landscape coherence will compute, said before it begins.
#pragma once

#include "apps/common/run_plan.h"
#include "apps/landscape/coherence/coherence_flags.h"

namespace topograd {

/// Plans the gradients at the networks that the output lacks.
cli::RunPlan coherence_plan(const CoherenceAhead& ahead, const std::string& output,
                            ThreadPool& pool, cli::Measurement measurement);

/// Plans the gradients at so many points of the surface `over`, with fitted settings.
cli::RunPlan coherence_map_plan(const CoherenceSettings& settings, const LoadedModel& model,
                                const ImageSets& images, const std::string& over, int64_t points,
                                int64_t points_to_do, const std::string& output, ThreadPool& pool,
                                cli::Measurement measurement);

}  // namespace topograd
