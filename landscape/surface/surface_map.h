// Other quantities than the loss, at every point of a surface that was computed earlier.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/context.h"
#include "landscape/directions/surface_directions.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface.h"
#include "models/loaded_model.h"

namespace topograd {

struct SurfaceMapSettings {
  std::string over;                 ///< the surface's file
  std::string output;               ///< the map's
  double save_seconds = 5;          ///< between two savings, at least
  std::string quantity;             ///< what is computed: "curvature"
  std::vector<std::string> planes;  ///< by these names
  /// What decides the values besides the model and the directions: images, loss, seeds. A file is
  /// continued where all of it agrees.
  Provenance choices;
  Provenance run;  ///< device, version, command: see describe_run()
};

/// The points of a surface, its network and its directions, with values of another kind: a file of
/// its own, which is continued as surfaces are.
class SurfaceMap {
 public:
  struct Point {
    double alpha, beta;
    Tensor theta, running_stats;  ///< the network there
  };
  using Values = std::map<std::string, double>;  ///< by plane
  /// Returns nothing where the observer asked to stop.
  using Measure = std::function<std::optional<Values>(const Point&)>;

  /// `source` is the surface in settings.over, `directions` span it; the model and the observer must
  /// outlive the map. Throws Error where the output is another command's.
  SurfaceMap(const SurfaceMapSettings& settings, const Surface& source,
             const SurfaceDirections& directions, const LoadedModel& model, Observer& observer);

  /// Measures all points that are not done, from coarse to fine, and saves as they come. Throws
  /// Interrupted where `measure` returns nothing.
  void compute(const Measure& measure);

  const Surface& surface() const { return surface_; }

 private:
  Point at(int64_t point);

  SurfaceMapSettings settings_;
  const LoadedModel& model_;
  Observer& observer_;
  Surface surface_;
  Directions plane_;
  Context host_;
};

}  // namespace topograd
