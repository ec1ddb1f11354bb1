// Evaluates one surface in several processes: rank zero hands out points, the others return sums.
#pragma once

#include <deque>
#include <mutex>

#include "landscape/distributed/messages.h"
#include "landscape/distributed/process_group.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

/// Queue of the points left to compute, each handed out once. Thread-safe.
class GridPointQueue {
 public:
  explicit GridPointQueue(std::vector<GridPoint> points) : points_(std::move(points)) {}
  std::optional<GridPoint> next();
  /// Returns up to `most` points; fewer towards the end, so that each of `ranks` still gets some.
  std::vector<GridPoint> take(int64_t most, int ranks);

 private:
  std::mutex mutex_;
  std::vector<GridPoint> points_;
  size_t taken_ = 0;
};

/// Returns the next point; nullopt when there are no more.
using GridPointSource = std::function<std::optional<GridPoint>()>;
/// Takes a point's sums on all planes. Called by one thread at a time.
using GridPointSink = std::function<void(int64_t point, const std::vector<PointSums>& planes)>;

/// Evaluates points on all planes until there are no more, or `stop` returns true.
void evaluate_points(Evaluator& evaluator, size_t planes, const GridPointSource& give,
                     const GridPointSink& take, const StopFlag& stop);

/// Evaluates points on rank zero, hands out points and takes results until all ranks are done.
/// `take` and `stopping` are called by two threads, but never at once. `stopping` is called when
/// `stop` returns true, before waiting for the other ranks, which may be dead. Rethrows a failure
/// of any rank. In a group of one process it is evaluate_points().
void evaluate_as_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes,
                           GridPointQueue& queue, const GridPointSink& take, const StopFlag& stop,
                           const std::function<void()>& stopping);

/// Evaluates points on another rank until rank zero has no more, or stops. Reports a failure to
/// rank zero.
void evaluate_for_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes, int threads,
                            const StopFlag& stop);

}  // namespace topograd
