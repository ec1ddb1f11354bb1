// Quantities other than the loss, at every point of a surface that was computed earlier.
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
  std::string over;                 ///< file of the surface
  std::string output;               ///< the map's
  double save_seconds = 5;          ///< shortest time between two saves
  std::string quantity;             ///< "curvature"
  std::vector<std::string> planes;  ///< names of the planes
  /// Facts that decide the values besides the model and the directions: images, loss, seeds. A file
  /// is continued only if all of them agree.
  Provenance choices;
  Provenance run;  ///< device, version, command: see describe_run()
};

/// Values of another quantity at the points of a surface, with its network and directions, in their
/// own file, which is continued as a surface's is.
class SurfaceMap {
 public:
  struct Point {
    double alpha, beta;
    Tensor theta, running_stats;  ///< the network at the point
  };
  using Values = std::map<std::string, double>;  ///< values by the plane's name
  /// Returns the values at a point; nullopt if the observer asked to stop.
  using Measure = std::function<std::optional<Values>(const Point&)>;

  /// `source` is the surface in settings.over, `directions` span it; the model and the observer must
  /// outlive the map.
  SurfaceMap(const SurfaceMapSettings& settings, const Surface& source,
             const SurfaceDirections& directions, const LoadedModel& model, Observer& observer);

  /// Returns the number of points that compute() would find to do in the output file. Throws Error
  /// if that is another command's.
  int64_t points_to_do() const;
  /// Continues or begins the output file, measures all points that are not done, from coarse to
  /// fine, and saves meanwhile. Throws Error if the output is another command's, Interrupted if
  /// `measure` returns nullopt.
  void compute(const Measure& measure);

  const Surface& surface() const { return surface_; }

 private:
  Point at(int64_t point);

  SurfaceMapSettings settings_;
  const LoadedModel& model_;
  Observer& observer_;
  Surface surface_;
  std::vector<std::string> identity_;  // facts in which a file must agree to be continued
  Directions plane_;
  Context host_;
};

}  // namespace topograd
