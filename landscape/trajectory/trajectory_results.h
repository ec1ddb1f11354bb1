// Results of trajectory: a training's path in a plane, its losses, and their file.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"
#include "landscape/surface/surface.h"
#include "landscape/trajectory/trajectory.h"

namespace topograd {

/// Checkpoints e = 0, 1, ..., n - 1, of which the last is the plane's origin.
struct TrajectoryResults {
  /// Makes results of n checkpoints, whose losses are all to do.
  explicit TrajectoryResults(std::vector<double> epochs);

  Provenance provenance;
  std::vector<double> epochs;
  PlaneCoordinates coordinates;
  double in_plane = 0;  ///< the share of the checkpoints' variance, see variance_in_plane()
  /// Shares of the variance of all principal components, and a random walk's; empty where the plane
  /// is another one.
  std::vector<double> explained, random_walk;
  /// Points 0 to n - 1 of lines: the checkpoints' losses, and those of their projections.
  Surface own, projected;

  int64_t count() const { return static_cast<int64_t>(epochs.size()); }

  /// Writes the file atomically, see docs/files.md. Equal results give files equal to the byte.
  void save(const std::string& path) const;
  /// Reads a file of save(). Throws Error for any other.
  static TrajectoryResults load(const std::string& path);
  /// Takes over the losses that a file of save() holds of the same number of checkpoints. Throws
  /// Error where it is none.
  void take_losses(const std::string& path);
  /// The provenance of a file of save().
  static Provenance read_provenance(const std::string& path);
  /// All of it under the file's names: a table with a row for each checkpoint.
  Record record() const;
};

/// The trajectory that a record of the kind "trajectory" holds. Throws Error where it lacks a part.
TrajectoryResults trajectory_of(const Record& record);

/// The largest difference between a checkpoint's own loss and that of its projection; of the first
/// set. NaN where none is finite.
double largest_difference(const TrajectoryResults& results, const std::string& set);

}  // namespace topograd
