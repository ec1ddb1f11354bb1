// Computes a surface's points, with its file and the progress bar kept up to date.
#pragma once

#include <string>

#include "landscape/evaluator.h"
#include "landscape/surface_values.h"

namespace topograd {

class SurfaceComputation {
 public:
  /// Everything handed in must outlive it. The surface, to which it belongs from now on, is written
  /// to `path` at least every save_seconds while it is computed.
  SurfaceComputation(Surface& surface, const SurfaceValues& values, const EvaluationSpec& spec,
                     ThreadPool& pool, std::string path, double save_seconds);

  /// Computes what is to do. False when interrupted; the file then holds what was done.
  bool run();

  /// The pace of run(); 0 where nothing was to do.
  double images_per_second() const { return images_per_second_; }

 private:
  /// The evaluations of the points that are to do, all planes of a point one after the other.
  PointSource source(std::vector<int64_t> todo) const;
  PlanePosition position(int64_t point) const;
  std::string progress(double seconds) const;

  Surface& surface_;
  size_t planes_;
  const SurfaceValues& values_;
  Evaluator evaluator_;
  std::string path_;
  double save_seconds_;
  int64_t images_ = 0;  // evaluated
  double images_per_second_ = 0;
};

}  // namespace topograd
