// PointQueue: who evaluates which chunk of which point, so that no thread waits for another while
// there is work left.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>

#include "landscape/evaluation/image_stages.h"

namespace topograd {

/// A point under way: which chunks of its stage nobody has taken yet, and the sums of those done.
class PointInProgress {
 public:
  PointInProgress(const EvaluationTask& task, const ImageStages& stages, size_t losses);

  const EvaluationTask task;
  int64_t unclaimed() const { return static_cast<int64_t>(chunks_.size() - next_); }
  /// The place of a chunk that is from now on the caller's.
  size_t claim() { return next_++; }
  const ImageChunk& chunk(size_t place) const { return chunks_[place]; }
  /// Takes a chunk's sums. True when the point is done; where its images were not enough yet, the
  /// last chunk of a stage makes room for the next stage's.
  bool add(size_t place, std::vector<LossSums> part);
  /// Of all stages so far. Chunks are added up in their order, whoever was done first.
  const PointSums& sums() const { return sums_; }

 private:
  void begin_stage();

  const ImageStages& stages_;
  size_t stage_ = 0;
  std::vector<bool> settled_;  // per set
  std::vector<ImageChunk> chunks_;
  std::vector<std::vector<LossSums>> parts_;
  size_t next_ = 0;
  size_t finished_ = 0;
  PointSums sums_;
};

/// A worker stays with its point while that has chunks that nobody has taken: its weights are
/// formed once. Then it takes the next point that nobody has begun; when there is none, it helps
/// the point with the most chunks left. Source, sink and stop flag are called under the queue's
/// lock, by whichever worker comes along.
class PointQueue {
 public:
  /// Everything handed in must outlive the queue. Without `helping` a point is its worker's alone.
  PointQueue(const ImageStages& stages, size_t losses, const TaskSource& source,
             const ResultSink& sink, const StopFlag& stop, bool helping = true);

  /// A chunk of a point.
  struct Item {
    std::shared_ptr<PointInProgress> point{};
    size_t place = 0;
    const EvaluationTask& task() const { return point->task; }
    ImageChunk chunk{};
  };

  /// Puts the next work into `item`, which holds what the worker did last, or nothing at first.
  /// Waits where others may yet leave some. False: there will be no more.
  bool take(Item& item);
  /// The sums of an item that was taken, one for each loss; hands the point on when it is done.
  void finish(const Item& item, std::vector<LossSums> part);
  /// Stops everything: a worker has failed.
  void abandon();

  /// Whether everything that the source had was finished. To be asked when no worker is left.
  bool complete() const { return dry_ && open_.empty() && !stopped_; }

 private:
  std::shared_ptr<PointInProgress> choose(const std::shared_ptr<PointInProgress>& current);
  std::shared_ptr<PointInProgress> begin_next();
  std::shared_ptr<PointInProgress> most_left() const;

  const ImageStages& stages_;
  size_t losses_;
  const TaskSource& source_;
  const ResultSink& sink_;
  const StopFlag& stop_;
  bool helping_;

  std::mutex mutex_;
  std::condition_variable changed_;  // more chunks, a point less, or the end
  std::list<std::shared_ptr<PointInProgress>> open_;
  bool dry_ = false;      // the source has no more
  bool stopped_ = false;  // by the flag or a failure
};

}  // namespace topograd
