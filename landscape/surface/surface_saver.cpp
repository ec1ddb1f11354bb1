#include "landscape/surface/surface_saver.h"

#include <utility>

namespace topograd {

SurfaceSaver::SurfaceSaver(std::string path, double seconds)
    : path_(std::move(path)), seconds_(seconds), thread_([this] { work(); }) {}

SurfaceSaver::~SurfaceSaver() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SurfaceSaver::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void SurfaceSaver::offer(const Surface& surface) {
  if (std::chrono::duration<double>(Clock::now() - offered_).count() < seconds_) return;
  {
    const std::lock_guard lock(mutex_);
    rethrow_failure();
    if (waiting_) return;
    waiting_ = surface;
  }
  offered_ = Clock::now();
  changed_.notify_all();
}

void SurfaceSaver::save(const Surface& surface) {
  std::unique_lock lock(mutex_);
  waiting_ = surface;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !waiting_ && !writing_; });
  rethrow_failure();
}

void SurfaceSaver::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return waiting_ || ending_; });
    if (!waiting_) return;
    writing_ = true;
    const Surface surface = *std::exchange(waiting_, std::nullopt);
    lock.unlock();
    std::exception_ptr failure;
    try {
      surface.save(path_);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    writing_ = false;
    // A later success clears an earlier failure: the file is complete.
    failure_ = failure;
    changed_.notify_all();
  }
}

}  // namespace topograd
