#include "kernels/core/context.h"

#include <algorithm>
#include <atomic>

namespace topograd {

uint64_t new_weights_version() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

bool names_operation(std::string_view key, std::string_view op) {
  return op == key || (op.starts_with(key) && op[key.size()] == '_');
}

void Context::force_implementation(std::string key, std::string name) {
  forced_[std::move(key)] = std::move(name);
}

std::string_view Context::forced_implementation(std::string_view op) const {
  std::string_view best_key;
  std::string_view best;
  for (const auto& [key, name] : forced_)
    if (names_operation(key, op) && key.size() >= best_key.size()) {
      best_key = key;
      best = name;
    }
  return best;
}

void* Context::workspace(int64_t bytes) {
  const int64_t have = workspaces_.empty() ? 0 : workspaces_.back()->bytes();
  if (workspaces_.empty() || have < bytes) {
    // On a device, queued or recorded work may still use the old memory. Doubling keeps the sum of
    // all that was ever handed out below twice the largest.
    if (device_ == Device::cpu) workspaces_.clear();
    const int64_t least = device_ == Device::cpu ? 4096 : std::max<int64_t>(4096, 2 * have);
    workspaces_.push_back(std::make_unique<Storage>(std::max(bytes, least), device_));
  }
  return workspaces_.back()->data();
}

}  // namespace topograd
