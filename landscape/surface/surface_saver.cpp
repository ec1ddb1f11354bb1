#include "landscape/surface/surface_saver.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "kernels/core/output_claim.h"

namespace topograd {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

struct SurfaceSaver::State {
  State(std::string to, double between)
      : path(std::move(to)), seconds(between), thread([this] { work(); }) {}

  void rethrow_failure() {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }
  void work();

  const std::string path;
  const double seconds;
  const std::shared_ptr<RunningCommand> command = running_command();
  const pid_t process = ::getpid();
  Clock::time_point offered = Clock::now();

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Surface> waiting;
  bool writing = false;
  bool ending = false;
  std::exception_ptr failure;
  std::thread thread;  // last: it uses the other members
};

void SurfaceSaver::State::work() {
  const WorkerScope scope(command.get());
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return waiting || ending; });
    if (!waiting) return;
    writing = true;
    const Surface surface = *std::exchange(waiting, std::nullopt);
    lock.unlock();
    std::exception_ptr failed;
    try {
      surface.save(path);
    } catch (...) {
      failed = std::current_exception();
    }
    lock.lock();
    writing = false;
    // A later success clears an earlier failure: the file is complete.
    failure = failed;
    changed.notify_all();
  }
}

SurfaceSaver::SurfaceSaver(std::string path, double seconds)
    : state_(std::make_unique<State>(std::move(path), seconds)) {}

SurfaceSaver::~SurfaceSaver() {
  if (::getpid() != state_->process) {
    // The mutex may be locked for ever, and nobody answers the condition variable.
    static_cast<void>(state_.release());
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

void SurfaceSaver::offer(const Surface& surface) {
  State& s = *state_;
  if (std::chrono::duration<double>(Clock::now() - s.offered).count() < s.seconds) return;
  {
    const std::lock_guard lock(s.mutex);
    s.rethrow_failure();
    if (s.waiting) return;
    s.waiting = surface;
  }
  s.offered = Clock::now();
  s.changed.notify_all();
}

void SurfaceSaver::save(const Surface& surface) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  s.waiting = surface;
  s.changed.notify_all();
  s.changed.wait(lock, [&] { return !s.waiting && !s.writing; });
  s.rethrow_failure();
}

}  // namespace topograd
