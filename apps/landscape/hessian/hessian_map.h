// landscape hessian --over: the curvature at every point of a surface.
#pragma once

#include "apps/landscape/hessian/hessian_flags.h"

namespace topograd {

/// Computes (or continues) the map, prints its ranges and draws its pictures. Returns the exit
/// status.
int map_curvature(const HessianFlags& flags, const LoadedModel& model, const ImageSets& images,
                  const Provenance& run, ThreadPool& pool, Observer& observer);

}  // namespace topograd
