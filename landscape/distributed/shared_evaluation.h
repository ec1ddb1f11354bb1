// One surface, computed by several processes: rank zero hands out points, the others send back sums.
#pragma once

#include <deque>
#include <mutex>

#include "landscape/distributed/messages.h"
#include "landscape/distributed/process_group.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

/// The points that are left to compute, each handed out once. Any thread may call it.
class GridPointQueue {
 public:
  explicit GridPointQueue(std::vector<GridPoint> points) : points_(std::move(points)) {}
  std::optional<GridPoint> next();
  /// Takes up to `most` points; fewer towards the end, so that each of `ranks` still gets some.
  std::vector<GridPoint> take(int64_t most, int ranks);

 private:
  std::mutex mutex_;
  std::vector<GridPoint> points_;
  size_t taken_ = 0;
};

/// Returns the next point, or nothing when there are no more.
using GridPointSource = std::function<std::optional<GridPoint>()>;
/// Takes a point's sums on all planes. Called by one thread at a time.
using GridPointSink = std::function<void(int64_t point, const std::vector<PointSums>& planes)>;

/// Evaluates points on all planes until there are no more, or `stop`.
void evaluate_points(Evaluator& evaluator, size_t planes, const GridPointSource& give,
                     const GridPointSink& take, const StopFlag& stop);

/// Rank zero's side: evaluates points, and hands out points and takes results until all ranks are
/// done. `take` and `stopping` are called by two threads, but never at once. `stopping` is called
/// when the stop flag is seen, before the other ranks are waited for: they may be dead. Throws what
/// went wrong here, or in any rank. In a group of one process it is evaluate_points().
void evaluate_as_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes,
                           GridPointQueue& queue, const GridPointSink& take, const StopFlag& stop,
                           const std::function<void()>& stopping);

/// The other ranks' side: evaluates points for rank zero until that has no more, or says stop.
void evaluate_for_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes, int threads,
                            const StopFlag& stop);

}  // namespace topograd
