// What landscape hessian will compute, said before it begins.
#pragma once

#include "apps/common/run_plan.h"
#include "apps/landscape/hessian/hessian_flags.h"

namespace topograd {

/// Plans the stages of the curvature at a network that the output lacks.
cli::RunPlan curvature_plan(const HessianFlags& flags, const LoadedModel& model,
                            const ImageSets& images, const CurvatureStages& to_do,
                            const std::string& output, ThreadPool& pool,
                            cli::Measurement measurement);

/// Plans the curvature at so many points of the surface --over.
cli::RunPlan curvature_map_plan(const HessianFlags& flags, const LoadedModel& model,
                                const ImageSets& images, int64_t points, int64_t points_to_do,
                                const std::string& output, ThreadPool& pool,
                                cli::Measurement measurement);

}  // namespace topograd
