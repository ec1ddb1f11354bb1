// Values in memory under names that stand where files' names do: "memory:3/resnet20".
//
// A program that has a network or images in memory gives them such a name, and every function that
// reads one by its file's name takes it. GDAL's /vsimem/ is the same idea.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "kernels/core/check.h"

namespace topograd {

/// Returns whether a name is that of a value in memory.
inline bool is_in_memory(const std::string& name) {
  return name.starts_with("memory:");
}

/// Value of type T under a name, from construction to destruction. Thread-safe.
template <class T>
class InMemory {
 public:
  /// Takes the value; `label` is what its name ends with.
  InMemory(std::shared_ptr<const T> value, const std::string& label) {
    Names& names = all();
    const std::lock_guard lock(names.mutex);
    name_ = text("memory:", ++names.count, "/", label);
    names.values[name_] = std::move(value);
  }
  ~InMemory() {
    Names& names = all();
    const std::lock_guard lock(names.mutex);
    names.values.erase(name_);
  }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;

  const std::string& name() const { return name_; }

  /// Returns the value of this name. Throws Error if it has gone, or is of another kind.
  static std::shared_ptr<const T> find(const std::string& name) {
    Names& names = all();
    const std::lock_guard lock(names.mutex);
    const auto found = names.values.find(name);
    require(found != names.values.end(), name, " is no longer in memory");
    return found->second;
  }

 private:
  struct Names {
    std::mutex mutex;
    int64_t count = 0;
    std::map<std::string, std::shared_ptr<const T>> values;
  };
  static Names& all() {
    static Names names;
    return names;
  }

  std::string name_;
};

}  // namespace topograd
