// Shadow of all watched memory: who wrote each piece last, and who has read it since.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "kernels/simt/race_ordering.h"
#include "kernels/simt/runtime_internal.h"

namespace topograd::simt::emulator {

/// A code address, as an offset from the beginning of the program, to keep cells small.
using CodeOffset = uint32_t;

/// Shadow of a few bytes: who wrote them last, who has read them since. All zeros: never touched.
struct Cell {
  uint32_t write_time;
  uint32_t read_time;     // of the latest read
  uint32_t reader_lanes;  // of reader_warp, in the reads that nothing orders among each other
  CodeOffset written_at;
  CodeOffset read_at;
  uint16_t writer;  // the thread's number, and the flags below
  uint8_t reader_warp;

  static constexpr uint16_t kThread = 0x03ff;
  static constexpr uint16_t kAtomic = 0x8000;   // written by an atomic operation
  static constexpr uint16_t kPending = 0x4000;  // cp.async is under way
  static constexpr uint8_t kSeveralWarps = 0xff;

  bool defined() const { return write_time != Ordering::kNever; }
  /// Returns a cell as the host leaves it: written before any launch, or never.
  static Cell of_host(bool defined) {
    Cell cell{};
    cell.write_time = defined ? Ordering::kHost : Ordering::kNever;
    return cell;
  }
};

/// A contiguous piece of memory and its cells. A cell stands for 4 bytes, until an access asks for
/// less: then the cells of this region are split, which loses nothing, as so far every access
/// touched whole cells.
class Region {
 public:
  explicit Region(MemoryRange range);

  uintptr_t base() const { return range_.base; }
  size_t bytes() const { return range_.bytes; }
  bool contains(uintptr_t address) const { return range_.contains(address); }

  /// Returns the cells of a range that lies in the region.
  std::span<Cell> cells(uintptr_t address, size_t bytes);

  /// Marks a range as written by the host.
  void define(uintptr_t address, size_t bytes);
  /// Marks `bytes` at `to` in this region as the host's, where `from` in `source` was ever written,
  /// and as never written elsewhere.
  void define_like(uintptr_t to, Region& source, uintptr_t from, size_t bytes);
  /// Marks everything that was ever written as the host's.
  void forget_times();

 private:
  struct Free {
    void operator()(Cell* cells) const { std::free(cells); }
  };
  using CellArray = std::unique_ptr<Cell[], Free>;
  static CellArray make_cells(size_t count);
  size_t cell_count(int shift) const { return (range_.bytes >> shift) + 1; }
  int shift_for(uintptr_t address, size_t bytes) const;
  void split(int shift);

  MemoryRange range_;
  int shift_ = 2;  // a cell is 1 << shift_ bytes
  CellArray cells_;
};

}  // namespace topograd::simt::emulator
