#include "landscape/evaluation/point_queue.h"

#include <algorithm>

namespace topograd {

PointInProgress::PointInProgress(const EvaluationTask& point, const ImageStages& stages,
                                 size_t losses)
    : task(point),
      stages_(stages),
      progress_(stages.sets()),
      sums_(stages.sets(), std::vector<LossSums>(losses)) {
  begin_stage();
}

void PointInProgress::begin_stage() {
  chunks_.clear();
  for (const ImageChunk& chunk : stages_.chunks(stage_))
    if (!progress_[chunk.set].settled) chunks_.push_back(chunk);
  parts_.assign(chunks_.size(), {});
  next_ = finished_ = 0;
}

bool PointInProgress::add(size_t place, std::vector<LossSums> part) {
  parts_[place] = std::move(part);
  if (++finished_ < chunks_.size()) return false;
  for (size_t i = 0; i < chunks_.size(); ++i)
    for (size_t loss = 0; loss < parts_[i].size(); ++loss)
      sums_[chunks_[i].set][loss] += parts_[i][loss];
  for (size_t set = 0; set < progress_.size(); ++set)
    stages_.update(progress_[set], set, sums_[set].front());
  if (all_settled(progress_)) return true;
  ++stage_;
  begin_stage();
  return false;
}

PointQueue::PointQueue(const ImageStages& stages, size_t losses, const TaskSource& source,
                       const ResultSink& sink, const StopFlag& stop, bool helping)
    : stages_(stages),
      losses_(losses),
      source_(source),
      sink_(sink),
      stop_(stop),
      helping_(helping) {}

std::shared_ptr<PointInProgress> PointQueue::begin_next() {
  if (dry_) return nullptr;
  const std::optional<EvaluationTask> task = source_();
  if (!task) {
    dry_ = true;
    return nullptr;
  }
  return open_.emplace_back(std::make_shared<PointInProgress>(*task, stages_, losses_));
}

std::shared_ptr<PointInProgress> PointQueue::most_left() const {
  const auto most = std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
    return a->unclaimed() < b->unclaimed();
  });
  return most == open_.end() || (*most)->unclaimed() == 0 ? nullptr : *most;
}

std::shared_ptr<PointInProgress> PointQueue::choose(
    const std::shared_ptr<PointInProgress>& current) {
  if (current && current->unclaimed() > 0) return current;
  if (auto next = begin_next()) return next;
  return helping_ ? most_left() : nullptr;
}

bool PointQueue::take(Item& item) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!stopped_ && stop_()) stopped_ = true;
    if (stopped_) {
      changed_.notify_all();
      return false;
    }
    if ((item.point = choose(item.point))) {
      item.place = item.point->claim();
      item.chunk = item.point->chunk(item.place);
      return true;
    }
    if (open_.empty()) return false;
    changed_.wait(lock);  // an open point may begin another stage
  }
}

void PointQueue::finish(const Item& item, std::vector<LossSums> part) {
  const std::lock_guard lock(mutex_);
  if (item.point->add(item.place, std::move(part))) {
    open_.remove(item.point);
    // Even when stopped: another worker's failure does not invalidate a finished point.
    sink_(item.task(), item.point->sums());
    changed_.notify_all();
  } else if (item.point->unclaimed() > 0) {
    changed_.notify_all();  // a new stage may have begun
  }
}

void PointQueue::abandon() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace topograd
