// Strings of variable length in HDF5 files lie in heaps, of which damaged ones hang the library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace topograd {

/// Throws Error with the reason alone if a global heap anywhere in these bytes of an HDF5 file,
/// whose lengths have eight bytes, is no chain of objects that leads to its end: HDF5 (1.10)
/// follows an object of no length for ever.
void require_sound_heaps(std::string_view bytes);

/// Check of a file's heaps before its first string of variable length is read.
class HeapCheck {
 public:
  explicit HeapCheck(std::string path) : path_(std::move(path)) {}
  /// Checks the file, once. Throws Error with the reason alone; `length_bytes` is what the file
  /// says.
  void require_sound(uint64_t length_bytes);

 private:
  std::string path_;
  bool done_ = false;
};

}  // namespace topograd
