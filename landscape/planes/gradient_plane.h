// The plane spanned by the gradient and a random direction.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "kernels/loss/loss_function.h"
#include "landscape/directions/surface_directions.h"
#include "landscape/evaluation/image_selection.h"

namespace topograd {

struct GradientPlane {
  uint64_t seed = 1;  ///< seed of the random direction
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  ImageSelection images{};  ///< the gradient is over the first set of these
  Loss loss{};
  int64_t batch = 0;  ///< images per batch that BatchNorm normalises by; 0: frozen statistics
  /// Forced implementations, {operation, name}, as in the thread pool.
  std::vector<std::pair<std::string, std::string>> forced{};
};

/// Makes the plane: x is the negative gradient, scaled to the length of y. `images` are those that
/// settings.images selects. Throws Error if the gradient is zero or not finite.
SurfaceDirections gradient_plane(const GradientPlane& settings, const LoadedModel& model,
                                 const ImageSets& images, ThreadPool& pool);

}  // namespace topograd
