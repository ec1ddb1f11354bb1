// The plane of the gradient and a random direction.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "kernels/softmax_xent/softmax_xent.h"
#include "landscape/directions/surface_directions.h"
#include "landscape/evaluation/image_selection.h"

namespace topograd {

struct GradientPlane {
  uint64_t seed = 1;  ///< of the random direction
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  ImageSelection images{};  ///< the gradient is over the first set of these
  LossKind loss = LossKind::cross_entropy;
  int64_t batch =
      0;  ///< above 0: BatchNorm normalises by batches of so many images; 0: it is frozen
  /// Forced implementations, {operation, name}, as those of the thread pool.
  std::vector<std::pair<std::string, std::string>> forced{};
};

/// Lays the plane: x leads downhill and is as long as y. `images` are those that settings.images
/// selects. Throws Error where the gradient is zero or not finite.
SurfaceDirections gradient_plane(const GradientPlane& settings, const LoadedModel& model,
                                 const ImageSets& images, ThreadPool& pool);

}  // namespace topograd
