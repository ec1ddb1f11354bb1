// Context: where an operation runs and what it may use while it runs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// Returns a number that no call before has returned: the name of one state of some weights, for
/// implementations that keep them packed while the name stays the same.
uint64_t new_weights_version();

/// Returns whether a key of Context::force_implementation names this operation: it is its name, or
/// that of its family, the words before an underscore.
bool names_operation(std::string_view key, std::string_view op);

/// One stream of execution: a device, scratch memory, vendor state. On a CPU a context belongs to
/// one thread, and every operation runs on that thread alone: parallelism is the caller's, over
/// independent chunks, which keeps results the same to the bit for any number of threads. On a GPU
/// a context is a stream: an operation returns when its kernels are queued, and they run in order.
class Context {
 public:
  explicit Context(Device device = Device::cpu, int worker = 0)
      : device_(device), worker_(worker) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  Context(Context&&) = default;

  Device device() const { return device_; }
  /// Index of this context's thread in its ThreadPool, for state kept per thread.
  int worker() const { return worker_; }

  /// Forces one implementation, e.g. name "reference", of an operation (key "conv2d_forward") or of
  /// a family of operations ("conv2d"). An operation that has none of this name keeps its choice.
  void force_implementation(std::string key, std::string name);
  /// Name of the implementation that is forced for an operation, or empty. The operation's own key
  /// beats its family's.
  std::string_view forced_implementation(std::string_view op) const;

  /// Returns scratch memory on this context's device of at least `bytes`, 64-byte aligned, its
  /// contents valid until the next operation. The address outlives that: recorded kernels may use
  /// it later.
  void* workspace(int64_t bytes);

  /// Returns the state a vendor library needs (engine, stream, handles, primitive cache): one T per
  /// context, made on first use, so that no public header names the vendor.
  template <class T>
  T& state() {
    std::shared_ptr<void>& slot = states_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

 private:
  Device device_;
  int worker_;
  std::vector<std::unique_ptr<Storage>> workspaces_;  // the last one is the largest
  std::map<std::string, std::string, std::less<>> forced_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> states_;
};

}  // namespace topograd
