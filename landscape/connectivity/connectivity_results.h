// Results of connect: losses and accuracies along the paths between two networks, and their file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "landscape/evaluation/evaluation.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/record.h"
#include "landscape/surface/barrier.h"

namespace topograd {

/// Losses and accuracies along one path, filled in point by point.
struct PathValues {
  std::vector<uint8_t> done;
  /// Lists of done's length by name: <set>_loss, <set>_loss_se, <set>_acc (percent); NaN where not
  /// done.
  std::map<std::string, std::vector<double>> values;

  PathValues() = default;
  PathValues(size_t points, const std::vector<std::string>& sets);
  bool complete() const;
  /// Enters the sums of a point, one set after the other.
  void enter(size_t point, const ImageSets& images, const PointSums& sums);
};

struct ConnectivityResults {
  Provenance provenance;
  std::vector<double> t;
  std::map<std::string, PathValues> paths;  ///< "line/states", "aligned/recompute", "curve/..."
  std::map<std::string, double> alignment;  ///< numbers of the alignment by name; empty without one

  /// Writes the file atomically: HDF5 (docs/files.md), with the barriers of complete paths. Equal
  /// results give files equal to the byte.
  void save(const std::string& path) const;
  static ConnectivityResults load(const std::string& path);
  /// Returns all of it under the file's names, with the barriers of complete paths.
  Record record() const;
};

/// Returns the paths in a record of the kind "paths". Throws Error if a part is missing.
ConnectivityResults connectivity_of(const Record& record);

/// Returns the barrier of <set>_loss or, upside down, <set>_acc: how far the path rises above, or
/// falls below, the straight line between its ends' values. Throws Error unless t runs from 0 to 1.
Barrier barrier_of(const std::vector<double>& t, const PathValues& path, const std::string& name);

/// Returns the keys of the paths whose values are all there, in the order in which paths are
/// computed.
std::vector<std::string> complete_paths(const ConnectivityResults& results);

}  // namespace topograd
