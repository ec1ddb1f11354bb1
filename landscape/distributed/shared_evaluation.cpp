#include "landscape/distributed/shared_evaluation.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>
#include <utility>

#include "kernels/core/output_claim.h"

namespace topograd {

namespace {

/// Time between two polls for messages: far below a point's time, and little load.
constexpr std::chrono::microseconds kPause(500);

/// A computation in its own thread, so that the main thread is free for messages.
class Background {
 public:
  explicit Background(const std::function<void()>& work)
      : thread_([this, work, command = running_command()] {
          const WorkerScope scope(command.get());
          try {
            work();
          } catch (...) {
            failure_ = std::current_exception();
          }
          finished_ = true;
        }) {}
  ~Background() { join(); }
  bool finished() const { return finished_; }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  /// Returns the exception of `work`, or nullptr; valid after join().
  std::exception_ptr failure() const { return failure_; }

 private:
  std::atomic<bool> finished_{false};
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the other members
};

std::string message_of(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown failure";
  }
}

/// Rank zero's loop: hands out points, takes results, and evaluates points itself.
class RankZero {
 public:
  RankZero(ProcessGroup& group, GridPointQueue& queue, const GridPointSink& take,
           const StopFlag& stop, const std::function<void()>& stopping)
      : group_(group),
        queue_(queue),
        take_(take),
        stop_(stop),
        stopping_(stopping),
        ranks_working_(group.size() - 1) {}

  void run(Evaluator& evaluator, size_t planes) {
    const GridPointSink take = [&](int64_t point, const std::vector<PointSums>& sums) {
      const std::lock_guard lock(take_mutex_);
      take_(point, sums);
    };
    Background own([&] {
      evaluate_points(
          evaluator, planes, [&] { return queue_.next(); }, take,
          [&] { return halted_ || stop_(); });
    });
    while (ranks_working_ > 0 || !own.finished()) {
      if (!halted_ && own.finished() && failed(own)) halt();
      if (!halted_ && stop_()) {
        halt();
        const std::lock_guard lock(take_mutex_);
        stopping_();
      }
      if (const auto message = group_.receive())
        answer(*message, take);
      else
        std::this_thread::sleep_for(kPause);
    }
    own.join();
    group_.gather("");  // no rank sends a message after this barrier
    if (own.failure()) std::rethrow_exception(own.failure());
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  static bool failed(Background& own) {
    own.join();
    return own.failure() != nullptr;
  }

  void halt() {
    halted_ = true;
    for (int rank = 1; rank < group_.size(); ++rank)
      group_.send(rank, packed({.kind = RankMessageKind::stop}));
  }

  void fail_with(std::exception_ptr failure) {
    if (!failure_) failure_ = failure;
    if (!halted_) halt();
  }

  void answer(const ProcessGroup::Message& received, const GridPointSink& take) {
    const RankMessage message = unpacked(received.bytes);
    switch (message.kind) {
      case RankMessageKind::want: {
        RankMessage reply{.kind = RankMessageKind::points};
        if (!halted_) reply.points = queue_.take(message.count, group_.size());
        group_.send(received.from, packed(reply));
        return;
      }
      case RankMessageKind::result:
        try {
          take(message.point, message.planes);
        } catch (...) {
          fail_with(std::current_exception());
        }
        return;
      case RankMessageKind::failed:
        fail_with(
            std::make_exception_ptr(Error(text("rank ", received.from, ": ", message.error))));
        --ranks_working_;
        return;
      case RankMessageKind::done:
        --ranks_working_;
        return;
      case RankMessageKind::points:
      case RankMessageKind::stop:
        fail("a rank sent what only rank zero sends");
    }
  }

  ProcessGroup& group_;
  GridPointQueue& queue_;
  const GridPointSink& take_;
  const StopFlag& stop_;
  const std::function<void()>& stopping_;
  std::mutex take_mutex_;
  int ranks_working_;  // ranks that have not sent done or failed
  std::atomic<bool> halted_{false};
  std::exception_ptr failure_;
};

/// Another rank's loop: evaluates points for rank zero.
class OtherRank {
 public:
  OtherRank(ProcessGroup& group, int64_t threads, const StopFlag& stop)
      : group_(group), threads_(threads), stop_(stop) {}

  void run(Evaluator& evaluator, size_t planes) {
    Background work([&] {
      evaluate_points(
          evaluator, planes, [&] { return next(); },
          [&](int64_t point, const std::vector<PointSums>& sums) {
            keep(packed({.kind = RankMessageKind::result, .point = point, .planes = sums}));
          },
          [&] { return halted_ || stop_(); });
    });
    while (!work.finished() || asked_) {
      const bool busy = receive();
      if (!work.finished()) ask();
      if (!send_results() && !busy) std::this_thread::sleep_for(kPause);
    }
    work.join();
    send_results();
    RankMessage last{.kind = RankMessageKind::done};
    if (work.failure()) {
      last.kind = RankMessageKind::failed;
      last.error = message_of(work.failure());
    }
    group_.send(0, packed(last));
    group_.gather("");
    while (group_.receive()) {
    }
  }

 private:
  /// Waits for the next point; returns nullopt when there are no more, or on a stop.
  std::optional<GridPoint> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !points_.empty() || dry_ || halted_; });
    if (points_.empty() || halted_) return std::nullopt;
    const GridPoint point = points_.front();
    points_.pop_front();
    return point;
  }

  void keep(const std::string& result) {
    const std::lock_guard lock(mutex_);
    results_.push_back(result);
  }

  bool receive() {
    const auto received = group_.receive();
    if (!received) return false;
    const RankMessage message = unpacked(received->bytes);
    const std::lock_guard lock(mutex_);
    if (message.kind == RankMessageKind::stop) {
      halted_ = true;
    } else {
      asked_ = false;
      dry_ = message.points.empty();
      points_.insert(points_.end(), message.points.begin(), message.points.end());
    }
    changed_.notify_all();
    return true;
  }

  /// Asks for more points as soon as fewer are queued than threads, so that threads need not wait.
  void ask() {
    {
      const std::lock_guard lock(mutex_);
      if (asked_ || dry_ || halted_ || static_cast<int64_t>(points_.size()) >= threads_) return;
      if (stop_()) halted_ = true;
    }
    changed_.notify_all();
    if (halted_) return;
    asked_ = true;
    group_.send(0, packed({.kind = RankMessageKind::want, .count = threads_}));
  }

  bool send_results() {
    std::deque<std::string> results;
    {
      const std::lock_guard lock(mutex_);
      results.swap(results_);
    }
    for (const std::string& result : results) group_.send(0, result);
    return !results.empty();
  }

  ProcessGroup& group_;
  int64_t threads_;
  const StopFlag& stop_;
  bool asked_ = false;  // points were requested and have not come; main thread only
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GridPoint> points_;
  std::deque<std::string> results_;  // packed messages
  bool dry_ = false;                 // rank zero has no more points
  std::atomic<bool> halted_{false};
};

}  // namespace

std::optional<GridPoint> GridPointQueue::next() {
  const std::lock_guard lock(mutex_);
  if (taken_ == points_.size()) return std::nullopt;
  return points_[taken_++];
}

std::vector<GridPoint> GridPointQueue::take(int64_t most, int ranks) {
  const std::lock_guard lock(mutex_);
  const auto left = static_cast<int64_t>(points_.size() - taken_);
  const int64_t share = std::max<int64_t>(1, left / (4 * ranks));
  const int64_t count = std::min({left, share, most});
  const auto begin = points_.begin() + static_cast<std::ptrdiff_t>(taken_);
  taken_ += static_cast<size_t>(count);
  return {begin, begin + count};
}

void evaluate_points(Evaluator& evaluator, size_t planes, const GridPointSource& give,
                     const GridPointSink& take, const StopFlag& stop) {
  std::optional<GridPoint> current;
  size_t plane = planes;
  PlaneCollector collector(planes);
  evaluator.run(
      [&]() -> std::optional<EvaluationTask> {
        if (plane == planes) {
          current = give();
          plane = 0;
        }
        if (!current) return std::nullopt;
        return EvaluationTask{
            .id = current->point, .position = current->position, .plane = plane++};
      },
      [&](const EvaluationTask& task, const PointSums& sums) {
        const std::vector<PointSums> all = collector.add(task, sums);
        if (!all.empty()) take(task.id, all);
      },
      stop);
}

void evaluate_as_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes,
                           GridPointQueue& queue, const GridPointSink& take, const StopFlag& stop,
                           const std::function<void()>& stopping) {
  if (group.size() == 1)
    evaluate_points(
        evaluator, planes, [&] { return queue.next(); }, take, stop);
  else
    RankZero(group, queue, take, stop, stopping).run(evaluator, planes);
}

void evaluate_for_rank_zero(ProcessGroup& group, Evaluator& evaluator, size_t planes, int threads,
                            const StopFlag& stop) {
  OtherRank(group, threads, stop).run(evaluator, planes);
}

}  // namespace topograd
