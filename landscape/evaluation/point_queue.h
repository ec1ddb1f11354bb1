// PointQueue: shares chunks of points among threads, so that no thread waits while there is work.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>

#include "landscape/evaluation/image_stages.h"

namespace topograd {

/// A point being evaluated: the unclaimed chunks of its stage, and the sums of finished ones.
class PointInProgress {
 public:
  PointInProgress(const EvaluationTask& task, const ImageStages& stages, size_t losses);

  const EvaluationTask task;
  int64_t unclaimed() const { return static_cast<int64_t>(chunks_.size() - next_); }
  /// Claims the next chunk for the caller and returns its index in the stage.
  size_t claim() { return next_++; }
  const ImageChunk& chunk(size_t place) const { return chunks_[place]; }
  /// Takes a chunk's sums and returns whether the point is done. If it needs more images, the last
  /// chunk of a stage begins the next stage.
  bool add(size_t place, std::vector<LossSums> part);
  /// Returns the sums of all finished stages. Chunks are added in their order, not in that of
  /// finishing.
  const PointSums& sums() const { return sums_; }

 private:
  void begin_stage();

  const ImageStages& stages_;
  size_t stage_ = 0;
  std::vector<SetProgress> progress_;  // per set
  std::vector<ImageChunk> chunks_;
  std::vector<std::vector<LossSums>> parts_;
  size_t next_ = 0;
  size_t finished_ = 0;
  PointSums sums_;
};

/// Queue of chunks with work sharing. A worker stays with its point while that has unclaimed
/// chunks, so its weights are formed once. Then it begins the source's next point; if there is
/// none, it helps the point with the most chunks left. Source, sink and stop flag are called by any
/// worker, under the queue's lock.
class PointQueue {
 public:
  /// Keeps references: everything passed must outlive the queue. Without `helping` one worker
  /// evaluates all chunks of a point.
  PointQueue(const ImageStages& stages, size_t losses, const TaskSource& source,
             const ResultSink& sink, const StopFlag& stop, bool helping = true);

  /// A claimed chunk of a point.
  struct Item {
    std::shared_ptr<PointInProgress> point{};
    size_t place = 0;
    const EvaluationTask& task() const { return point->task; }
    ImageChunk chunk{};
  };

  /// Puts the next chunk into `item`, which holds the worker's last one, or no point at first.
  /// Waits while an open point may begin another stage. Returns false when there is no more work.
  bool take(Item& item);
  /// Takes the sums of a claimed chunk, one per loss; passes the point to the sink when it is done.
  void finish(const Item& item, std::vector<LossSums> part);
  /// Stops all workers after one has failed.
  void abandon();

  /// Returns whether all tasks of the source are finished. Call it when no worker is left.
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
  std::condition_variable changed_;  // signals new chunks, a finished point, or the end
  std::list<std::shared_ptr<PointInProgress>> open_;
  bool dry_ = false;      // the source is exhausted
  bool stopped_ = false;  // set by the stop flag or a failure
};

}  // namespace topograd
