// Results of landscape trajectory: a training's path in a plane, its losses, and their file.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"
#include "landscape/surface/surface.h"
#include "landscape/trajectory/trajectory.h"

namespace topograd {

/// Results for checkpoints e = 0, 1, ..., n - 1, of which the last is the plane's origin.
struct TrajectoryResults {
  /// Makes results of n checkpoints, whose losses are all to do.
  explicit TrajectoryResults(std::vector<double> epochs);

  Provenance provenance;
  std::vector<double> epochs;
  PlaneCoordinates coordinates;
  double in_plane = 0;  ///< share of the checkpoints' variance, see variance_in_plane()
  /// Shares of the variance explained by all principal components, and by a random walk's; empty if
  /// the plane is another one.
  std::vector<double> explained, random_walk;
  /// Losses of the checkpoints, and of their projections, as lines of points 0 to n - 1.
  Surface own, projected;

  int64_t count() const { return static_cast<int64_t>(epochs.size()); }

  /// Writes the file atomically, see docs/files.md. Equal results give files equal to the byte.
  void save(const std::string& path) const;
  /// Reads a file of save(). Throws Error for any other.
  static TrajectoryResults load(const std::string& path);
  /// Takes over the losses in a file of save(). Throws Error if it is none, or of another number of
  /// checkpoints.
  void take_losses(const std::string& path);
  /// Returns the provenance of a file of save().
  static Provenance read_provenance(const std::string& path);
  /// Returns all of it under the file's names: a table with a row for each checkpoint.
  Record record() const;
};

/// Returns the trajectory in a record of the kind "trajectory". Throws Error if a part is missing.
TrajectoryResults trajectory_of(const Record& record);

/// Returns the largest difference between a checkpoint's own loss and that of its projection, over
/// images of `set`; NaN if none is finite.
double largest_difference(const TrajectoryResults& results, const std::string& set);

}  // namespace topograd
