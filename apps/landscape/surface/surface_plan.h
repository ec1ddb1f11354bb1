// What the computation of a surface will be, said before it begins.
#pragma once

#include "apps/common/run_plan.h"
#include "apps/landscape/surface/surface_run.h"

namespace topograd {

/// Plans a surface of which so many points are to do, shared by so many processes; rank zero
/// evaluates `points_before` others first.
cli::RunPlan surface_plan(const SurfaceInputs& inputs, const SurfaceDirections& directions,
                          int64_t points_to_do, int64_t points_before, int processes,
                          cli::Measurement measurement);

}  // namespace topograd
