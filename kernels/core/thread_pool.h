// A fixed set of threads that share out independent items.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernels/core/context.h"

namespace topograd {

/// Runs work items on `threads` threads, each with its own Context. Which thread runs which item is
/// left to chance, so an item must not depend on it; results are then the same to the bit for any
/// number of threads. No OpenMP: under contention its teams collapse (measured: 15-30x), while
/// independent threads merely share the processor.
class ThreadPool {
 public:
  /// Starts the threads; 0: one per processor that this process may use. A device other than the
  /// CPU brings its own threads and is driven by one: then threads is 0 or 1.
  explicit ThreadPool(int threads = 0, Device device = Device::cpu);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;
  /// Number of processors that this process may use (allowed_processors()).
  static int processors();
  /// The device of the contexts.
  Device device() const;

  /// Calls item(i, context) for every i in [0, count), returning when all are done. An exception
  /// in an item skips the items not yet begun and is thrown here. Not re-entrant.
  void for_each(int64_t count, const std::function<void(int64_t, Context&)>& item);

  /// The context of the calling thread, for work between two for_each.
  Context& main_context();
  /// Forces an implementation on all contexts; see Context::force_implementation.
  void force_implementation(const std::string& key, const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
