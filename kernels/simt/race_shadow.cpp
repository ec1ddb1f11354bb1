#include "kernels/simt/race_shadow.h"

#include <algorithm>
#include <vector>

#include "kernels/core/check.h"

namespace topograd::simt::emulator {

Region::Region(MemoryRange range) : range_(range), cells_(make_cells(cell_count(shift_))) {}

/// Allocates cells by calloc, so that the pages of untouched cells are never made.
Region::CellArray Region::make_cells(size_t count) {
  CellArray cells(static_cast<Cell*>(std::calloc(count, sizeof(Cell))));
  require(cells != nullptr, "out of memory for the memory checker");
  return cells;
}

/// Returns the shift of the coarsest cells that this range consists of.
int Region::shift_for(uintptr_t address, size_t bytes) const {
  return std::min(shift_, __builtin_ctzll((address - range_.base) | bytes | 4));
}

void Region::split(int shift) {
  if (shift == shift_) return;
  CellArray finer = make_cells(cell_count(shift));
  for (size_t i = 0; i < cell_count(shift); ++i) finer[i] = cells_[i >> (shift_ - shift)];
  cells_ = std::move(finer);
  shift_ = shift;
}

std::span<Cell> Region::cells(uintptr_t address, size_t bytes) {
  split(shift_for(address, bytes));
  return {&cells_[(address - range_.base) >> shift_], bytes >> shift_};
}

void Region::define(uintptr_t address, size_t bytes) {
  for (Cell& cell : cells(address, bytes)) cell = Cell::of_host(true);
}

void Region::define_like(uintptr_t to, Region& source, uintptr_t from, size_t bytes) {
  const int shift = std::min(shift_for(to, bytes), source.shift_for(from, bytes));
  split(shift);
  source.split(shift);
  std::vector<bool> defined;  // the ranges may overlap
  for (const Cell& cell : source.cells(from, bytes)) defined.push_back(cell.defined());
  const std::span<Cell> targets = cells(to, bytes);
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = Cell::of_host(defined[i]);
}

void Region::forget_times() {
  for (size_t i = 0; i < cell_count(shift_); ++i) cells_[i] = Cell::of_host(cells_[i].defined());
}

}  // namespace topograd::simt::emulator
