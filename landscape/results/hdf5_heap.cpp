#include "landscape/results/hdf5_heap.h"

#include <iterator>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

// "III.E. Disk Format: Level 1E - Global Heap" of HDF5's specification.
constexpr std::string_view kHeapSignature = "GCOL";
constexpr uint64_t kHeapHeader = 16;    // bytes
constexpr uint64_t kObjectHeader = 16;  // bytes: an index, how often it is used, its length
constexpr uint64_t kLengthAt = 8;       // in either header
constexpr uint64_t kLengthBytes = 8;

uint64_t little_endian(std::string_view bytes, uint64_t at, uint64_t count) {
  uint64_t value = 0;
  for (uint64_t i = count; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  return value;
}

/// Returns whether the objects of a heap, of at least a header, fill it.
bool is_chain(std::string_view heap) {
  uint64_t at = kHeapHeader;
  while (heap.size() - at >= kObjectHeader) {
    const uint64_t index = little_endian(heap, at, 2);
    uint64_t length = little_endian(heap, at + kLengthAt, kLengthBytes);
    const uint64_t left = heap.size() - at;
    if (length > left) return false;
    if (index > 0)
      length = kObjectHeader + (length + 7) / 8 * 8;  // of the rest, which is free, it is all
    if (length < kObjectHeader || length > left) return false;
    at += length;
  }
  return true;
}

}  // namespace

void require_sound_heaps(std::string_view bytes) {
  size_t end = 0;  // of the last heap: none begins within another
  for (size_t at = bytes.find(kHeapSignature); at != bytes.npos;
       at = bytes.find(kHeapSignature, at + 1)) {
    const std::string_view rest = bytes.substr(at);
    const uint64_t length =
        rest.size() < kHeapHeader ? 0 : little_endian(rest, kLengthAt, kLengthBytes);
    require(at >= end && length >= kHeapHeader && length <= rest.size() &&
                is_chain(rest.substr(0, length)),
            "its heap of strings is damaged");
    end = at + length;
  }
}

void HeapCheck::require_sound(uint64_t length_bytes) {
  if (done_) return;
  require(length_bytes == kLengthBytes, "its lengths have ", length_bytes, " bytes, not ",
          kLengthBytes);
  FileReader in(path_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  require_sound_heaps(bytes);
  done_ = true;
}

}  // namespace topograd
