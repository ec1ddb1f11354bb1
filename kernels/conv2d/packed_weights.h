// Weights kept in an implementation's own layout while their version stays the same.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "kernels/core/tensor.h"

namespace topograd {

/// Packed forms of weights, by version. Lives in a Context, so it belongs to one thread.
class PackedWeights {
 public:
  /// Returns the packed form of w: `bytes` long, filled by pack(void*) where w's version is not the
  /// one that was packed last. `layout` tells apart the forms one w is packed into: the address of
  /// anything that lives as long as this. Version 0: packed anew into `scratch`.
  template <class Pack>
  void* get(const void* layout, const Tensor& w, uint64_t version, int64_t bytes, void* scratch,
            Pack pack) {
    if (version == 0) {
      pack(scratch);
      return scratch;
    }
    if (kept_.size() > kMaxKept) kept_.clear();  // of networks that are long gone
    Kept& kept = kept_[{layout, w.raw()}];
    if (!kept.storage || kept.bytes != bytes) {
      kept = {
          .version = 0, .bytes = bytes, .storage = std::make_unique<Storage>(bytes, Device::cpu)};
    }
    if (kept.version != version) pack(kept.storage->data());
    kept.version = version;
    return kept.storage->data();
  }

 private:
  static constexpr size_t kMaxKept = 4096;
  struct Kept {
    uint64_t version = 0;
    int64_t bytes = 0;
    std::unique_ptr<Storage> storage;
  };
  std::map<std::pair<const void*, const void*>, Kept> kept_;
};

}  // namespace topograd
