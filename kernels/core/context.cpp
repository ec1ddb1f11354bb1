#include "kernels/core/context.h"

#include <algorithm>
#include <atomic>

namespace topograd {

uint64_t new_weights_version() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void Context::force_implementation(std::string key, std::string name) {
  forced_[std::move(key)] = std::move(name);
}

std::string_view Context::forced_implementation(std::string_view op) const {
  std::string_view best_key;
  std::string_view best;
  for (const auto& [key, name] : forced_) {
    const bool family = op.starts_with(key) && op.size() > key.size() && op[key.size()] == '_';
    if ((op == key || family) && key.size() >= best_key.size()) {
      best_key = key;
      best = name;
    }
  }
  return best;
}

void* Context::workspace(int64_t bytes) {
  if (!workspace_ || workspace_->bytes() < bytes) {
    workspace_.reset();
    workspace_ = std::make_unique<Storage>(std::max<int64_t>(bytes, 4096), device_);
  }
  return workspace_->data();
}

}  // namespace topograd
