// Computes a surface's points, with its file and the progress bar kept up to date.
#pragma once

#include <string>

#include "apps/common/progress.h"
#include "landscape/distributed/shared_evaluation.h"
#include "landscape/surface/surface_saver.h"
#include "landscape/surface/surface_values.h"

namespace topograd {

/// A point of a surface's grid, as it is handed out.
GridPoint grid_point(const Surface& surface, int64_t point);

class SurfaceComputation {
 public:
  /// Everything handed in must outlive it. The surface, to which it belongs from now on, is written
  /// to `path` at least every save_seconds while it is computed.
  SurfaceComputation(Surface& surface, const SurfaceValues& values, const EvaluationSpec& spec,
                     ThreadPool& pool, std::string path, double save_seconds);

  /// Computes what is to do, together with the other ranks, for which follow() is. False when
  /// interrupted; the file then holds what was done.
  bool run(ProcessGroup& ranks);
  /// Computes for the leader.
  void follow(ProcessGroup& ranks);

  /// The pace of run(); 0 where nothing was to do.
  double images_per_second() const { return images_per_second_; }

 private:
  std::vector<GridPoint> todo() const;
  void enter(int64_t point, const std::vector<PointSums>& planes, SurfaceSaver& saver,
             ProgressBar& bar);
  std::string progress(double seconds) const;

  Surface& surface_;
  const SurfaceValues& values_;
  size_t planes_;
  int threads_;
  Evaluator evaluator_;
  std::string path_;
  double save_seconds_;
  int64_t images_ = 0;  // evaluated
  double images_per_second_ = 0;
};

}  // namespace topograd
