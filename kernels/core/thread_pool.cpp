#include "kernels/core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "kernels/core/output_claim.h"
#include "kernels/core/system_limits.h"

namespace topograd {

namespace {

/// Waits until `value` differs from `old`: spins for a moment, because the barriers inside a
/// training step are microseconds apart, then sleeps.
uint64_t wait_for_change(const std::atomic<uint64_t>& value, uint64_t old) {
  for (int spin = 0; spin < 200; ++spin) {
    const uint64_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    if (spin > 100) std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

struct ThreadPool::State {
  std::vector<Context> contexts;
  std::vector<std::thread> workers;  // contexts[0] belongs to the calling thread

  // One round of work: `round` changes when it starts, `finished` counts the workers done with it.
  std::atomic<uint64_t> round{0};
  std::atomic<uint64_t> finished{0};
  std::atomic<int64_t> next{0};
  int64_t count = 0;
  const std::function<void(int64_t, Context&)>* item = nullptr;
  std::shared_ptr<RunningCommand> command;  // for which they work
  bool stopping = false;
  std::mutex error_mutex;
  std::exception_ptr error;

  void work(Context& context) {
    for (;;) {
      const int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      try {
        (*item)(i, context);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        next.store(count, std::memory_order_relaxed);
      }
    }
  }

  void stop() {
    stopping = true;
    round.fetch_add(1, std::memory_order_acq_rel);
    round.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void run_worker(size_t index) {
    uint64_t seen = 0;
    for (;;) {
      seen = wait_for_change(round, seen);
      if (stopping) return;
      {
        const WorkerScope scope(command.get());
        work(contexts[index]);
      }
      finished.fetch_add(1, std::memory_order_acq_rel);
      finished.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads, Device device) : state_(std::make_unique<State>()) {
  require(threads >= 0, "the number of threads is negative: ", threads);
  require(device == Device::cpu || threads <= 1, "the device ", name_of(device),
          " is driven by one thread, not by ", threads);
  if (threads == 0) threads = device == Device::cpu ? processors() : 1;
  for (int i = 0; i < threads; ++i) state_->contexts.emplace_back(device, i);
  state_->workers.reserve(static_cast<size_t>(threads));
  try {
    for (int i = 1; i < threads; ++i)
      state_->workers.emplace_back([this, i] { state_->run_worker(static_cast<size_t>(i)); });
  } catch (const std::system_error& error) {
    const int started = static_cast<int>(state_->workers.size()) + 1;
    state_->stop();
    fail("only ", started, " of ", threads, " threads can be started (", error.code().message(),
         "): choose --threads ", started, " or less");
  } catch (...) {  // no memory: threads that run must not outlive the pool
    state_->stop();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  state_->stop();
}

int ThreadPool::processors() {
  return allowed_processors();
}

int ThreadPool::threads() const {
  return static_cast<int>(state_->contexts.size());
}

Device ThreadPool::device() const {
  return state_->contexts[0].device();
}

Context& ThreadPool::main_context() {
  return state_->contexts[0];
}

void ThreadPool::force_implementation(const std::string& key, const std::string& name) {
  for (Context& context : state_->contexts) context.force_implementation(key, name);
}

void ThreadPool::for_each(int64_t count, const std::function<void(int64_t, Context&)>& item) {
  State& state = *state_;
  state.count = count;
  state.item = &item;
  state.error = nullptr;
  state.finished.store(0, std::memory_order_relaxed);
  state.next.store(0, std::memory_order_relaxed);
  const bool alone = state.workers.empty() || count <= 1;
  if (!alone) {
    state.command = running_command();
    state.round.fetch_add(1, std::memory_order_acq_rel);
    state.round.notify_all();
  }
  state.work(state.contexts[0]);
  if (!alone) {
    uint64_t done = state.finished.load(std::memory_order_acquire);
    while (done < state.workers.size()) done = wait_for_change(state.finished, done);
  }
  if (state.error) std::rethrow_exception(state.error);
}

}  // namespace topograd
