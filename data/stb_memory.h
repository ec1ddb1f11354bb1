// The memory that stb_image may have.
#pragma once

#include <cstdint>

namespace topograd {

/// Scope in which this thread's stb_image gets no block of more bytes: a small file could ask for
/// gigabytes, which it calls "outofmem". What it gets is zero, so that nothing it never wrote is
/// ever read: tables that a file uses and does not define, pixels that a scan leaves out.
class StbMemoryScope {
 public:
  explicit StbMemoryScope(int64_t largest_block);
  ~StbMemoryScope();
  StbMemoryScope(const StbMemoryScope&) = delete;
  StbMemoryScope& operator=(const StbMemoryScope&) = delete;

 private:
  int64_t before_;
};

}  // namespace topograd
