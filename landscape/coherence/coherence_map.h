// The coherence of minibatch gradients at every point of a surface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/coherence/gradient_sampler.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface_map.h"

namespace topograd {

/// Takes the gradients of the same minibatches at one point after the other.
class CoherenceAtPoints {
 public:
  /// The graph of the spec, the pool and the observer must outlive it. Throws Error where there are
  /// too few images.
  CoherenceAtPoints(const CoherenceSpec& spec, ThreadPool& pool, Observer& observer);

  /// Returns the names of the map's planes.
  static std::vector<std::string> planes();
  /// Returns the planes' values at a point; nothing where the observer asked to stop.
  std::optional<SurfaceMap::Values> measure(const SurfaceMap::Point& point);

 private:
  GradientSampler sampler_;
  Observer& observer_;
};

}  // namespace topograd
