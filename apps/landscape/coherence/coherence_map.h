// landscape coherence --over: the coherence of minibatch gradients at every point of a surface.
#pragma once

#include "apps/landscape/coherence/coherence_flags.h"

namespace topograd {

/// Computes (or continues) the map, prints its ranges and draws its pictures. Returns the exit
/// status.
int map_coherence(const CoherenceFlags& flags, const Provenance& run, ThreadPool& pool,
                  Observer& observer);

}  // namespace topograd
