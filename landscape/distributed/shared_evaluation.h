// One surface, computed by several ranks: the leader hands out points, the others send back sums.
#pragma once

#include <deque>
#include <mutex>

#include "landscape/distributed/messages.h"
#include "landscape/distributed/process_group.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

/// The points that are to do, each handed out once, to whoever asks. For any threads.
class GridPointQueue {
 public:
  explicit GridPointQueue(std::vector<GridPoint> points) : points_(std::move(points)) {}
  std::optional<GridPoint> next();
  /// Up to `most` of them; fewer towards the end, when others are still to have some too.
  std::vector<GridPoint> deal(int64_t most, int ranks);

 private:
  std::mutex mutex_;
  std::vector<GridPoint> points_;
  size_t dealt_ = 0;
};

/// Asks for points one by one.
using GridPointSource = std::function<std::optional<GridPoint>()>;
/// Takes a point's sums on all planes; from one thread at a time.
using GridPointSink = std::function<void(int64_t point, const std::vector<PointSums>& planes)>;

/// Evaluates points on all planes until there are no more, or `stop`.
void evaluate_points(Evaluator& evaluator, size_t planes, const GridPointSource& give,
                     const GridPointSink& take, const StopFlag& stop);

/// The leader's side: computes itself, hands out points and takes results until all ranks are done.
/// `take` and `stopping` come from two threads, but never at once. `stopping` is called when the
/// stop flag is seen, before the other ranks are waited for: they may be dead. Throws what went
/// wrong here, or in any rank.
void lead_computation(ProcessGroup& ranks, Evaluator& evaluator, size_t planes,
                      GridPointQueue& dealer, const GridPointSink& take, const StopFlag& stop,
                      const std::function<void()>& stopping);

/// The others' side: returns when the leader has no more points or was told why there are no
/// results.
void follow_leader(ProcessGroup& ranks, Evaluator& evaluator, size_t planes, int threads,
                   const StopFlag& stop);

}  // namespace topograd
