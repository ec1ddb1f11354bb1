// The memory checker. Kernel files are compiled with -fsanitize=thread but not linked with the
// thread sanitizer's library: the calls that the compiler inserts at every load and store land in
// tsan_symbols.cpp, and from there here, so that every access of an unmodified kernel is seen.
#include <array>
#include <iterator>
#include <map>

#include "kernels/core/check.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/race_ordering.h"
#include "kernels/simt/race_report.h"
#include "kernels/simt/race_shadow.h"
#include "kernels/simt/runtime.h"
#include "kernels/simt/runtime_internal.h"

// Symbols of the linker: the program, and in it threadIdx and the like.
extern char __executable_start;
extern char _end;
extern char __start_simt_state[];
extern char __stop_simt_state[];

namespace topograd::simt::emulator {

namespace {

uintptr_t address_of(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

class Checker {
 public:
  void allocated(uintptr_t base, size_t bytes);
  void released(uintptr_t base);
  void host_write(uintptr_t address, size_t bytes) { find(address)->define(address, bytes); }
  void device_copy(uintptr_t to, uintptr_t from, size_t bytes) {
    find(to)->define_like(to, *find(from), from, bytes);
  }
  void start_launch(uintptr_t arguments, size_t argument_bytes);
  Ordering& ordering() { return ordering_; }
  std::string findings() { return report_.take(); }

  void access(uintptr_t address, size_t bytes, Access kind, const void* return_address);
  void misaligned(uintptr_t address, const void* return_address);

 private:
  /// One access by the running thread.
  struct Event {
    Access kind;
    Space space;
    int thread;
    CodeOffset at;
    uintptr_t address;
    const Region* region;

    bool reads() const { return kind == Access::read || kind == Access::atomic; }
    bool writes() const { return kind != Access::read; }
    Party party() const { return {thread, false, at}; }
    Spot spot() const { return {space, address, region->base(), region->bytes()}; }
  };

  void restart();
  Region* find(uintptr_t address);
  bool is_known_to_threads(uintptr_t address) const;
  void outside(uintptr_t address, Access kind, CodeOffset at);
  void check_cell(Cell& cell, const Event& event);
  void check_against_write(const Cell& cell, const Event& event);
  void check_against_reads(const Cell& cell, const Event& event);
  bool reads_before(const Cell& cell, int thread) const;
  bool reads_handed_over(const Cell& cell, int thread) const;
  void record(Cell& cell, const Event& event);
  void race(const Cell& cell, const Event& event, bool with_read, bool between_blocks);

  Ordering ordering_;
  Report report_;
  std::map<uintptr_t, Region> global_;  // by base address
  std::array<Region*, 64> recent_{};    // where find() looks first, by part of the address
  Region static_shared_{static_shared()};
  Region zero_initialised_{zero_initialised()};
  Region dynamic_shared_{dynamic_shared_range()};
  uintptr_t arguments_ = 0;  // address of the kernel's, on the host's stack
  size_t argument_bytes_ = 0;
};

/// Returns the checker, which is never destroyed: memory may be released while static objects are.
Checker& checker() {
  static auto& the_checker = *new Checker;
  return the_checker;
}

void Checker::allocated(uintptr_t base, size_t bytes) {
  global_.emplace(base, Region({base, bytes}));
}

void Checker::released(uintptr_t base) {
  global_.erase(base);
  recent_.fill(nullptr);
}

void Checker::start_launch(uintptr_t arguments, size_t argument_bytes) {
  if (ordering_.exhausted()) restart();
  ordering_.start_launch();
  const MemoryRange dynamic = dynamic_shared_range();
  if (dynamic_shared_.base() != dynamic.base || dynamic_shared_.bytes() != dynamic.bytes)
    dynamic_shared_ = Region(dynamic);
  arguments_ = arguments;
  argument_bytes_ = argument_bytes;
}

/// Begins time anew: of all before this launch only what was written is kept.
void Checker::restart() {
  for (auto& [base, region] : global_) region.forget_times();
  for (Region* region : {&static_shared_, &zero_initialised_, &dynamic_shared_})
    region->forget_times();
  ordering_ = Ordering();
}

/// Returns the allocation that an address of global memory lies in.
Region* Checker::find(uintptr_t address) {
  Region*& recent = recent_[(address >> 12) % recent_.size()];
  if (recent && recent->contains(address)) return recent;
  auto next = global_.upper_bound(address);
  if (next == global_.begin() || !std::prev(next)->second.contains(address)) return nullptr;
  return recent = &std::prev(next)->second;
}

void Checker::access(uintptr_t address, size_t bytes, Access kind, const void* return_address) {
  if (bytes == 0) return;
  const CodeOffset at = code_offset(return_address);
  Space space = Space::static_shared;
  Region* region = &static_shared_;
  if (!region->contains(address)) {
    space = Space::dynamic_shared;
    region = &dynamic_shared_;
  }
  if (!region->contains(address)) {
    if (kind == Access::read && is_known_to_threads(address)) return;
    space = Space::global;
    region = find(address);
  }
  if (!region && zero_initialised_.contains(address)) {
    space = Space::static_shared;
    region = &zero_initialised_;
  }
  if (!region) return outside(address, kind, at);
  const Event event{kind, space, current_thread, at, address, region};
  if (bytes > region->base() + region->bytes() - address)
    report_.add("out of bounds", event.party(), "passes the end of its memory", {}, event.spot());
  else
    for (Cell& cell : region->cells(address, bytes)) check_cell(cell, event);
}

/// Whether every thread may read it: its arguments, and threadIdx and the like.
bool Checker::is_known_to_threads(uintptr_t address) const {
  return address - arguments_ < argument_bytes_ ||
         (address >= address_of(__start_simt_state) && address < address_of(__stop_simt_state));
}

/// Checks an access to memory that is neither shared nor allocated: a thread may read the program's
/// constants.
void Checker::outside(uintptr_t address, Access kind, CodeOffset at) {
  const uintptr_t program = address_of(&__executable_start);
  if (kind == Access::read && address - program < address_of(&_end) - program) return;
  uintptr_t nearest = 4096;
  Spot spot{Space::elsewhere, address};
  const auto ends_before = [&](const Region& region, Space space) {
    const uintptr_t distance = address - (region.base() + region.bytes());
    if (distance >= nearest) return;
    nearest = distance;
    spot = {Space::elsewhere, address, region.base(), region.bytes(), space};
  };
  ends_before(dynamic_shared_, Space::dynamic_shared);
  if (const auto next = global_.upper_bound(address); next != global_.begin())
    ends_before(std::prev(next)->second, Space::global);
  report_.add(
      "out of bounds", {current_thread, false, at},
      kind == Access::read ? "reads what is not device memory" : "writes what is not device memory",
      {}, spot);
}

void Checker::misaligned(uintptr_t address, const void* return_address) {
  report_.add("misaligned", {current_thread, false, code_offset(return_address)},
              "reads or writes 8 bytes or more at an address that is no multiple of 8", {},
              {Space::elsewhere, address});
}

void Checker::check_cell(Cell& cell, const Event& event) {
  if (event.kind != Access::copy_done) {
    const bool undefined =
        event.space == Space::global ? !cell.defined() : !ordering_.in_block(cell.write_time);
    if (event.reads() && undefined)
      report_.add("undefined memory", event.party(), "reads what nobody has written", {},
                  event.spot());
    check_against_write(cell, event);
    if (event.writes()) check_against_reads(cell, event);
  }
  record(cell, event);
}

void Checker::check_against_write(const Cell& cell, const Event& event) {
  if (!ordering_.in_launch(cell.write_time)) return;
  const int writer = cell.writer & Cell::kThread;
  if (ordering_.in_block(cell.write_time)) {
    if (cell.writer & Cell::kPending) {
      report_.add("missing copy_async_wait", event.party(),
                  event.writes() ? "writes over what is still being copied by"
                                 : "reads what is still being copied by",
                  {writer, false, cell.written_at}, event.spot());
      return;
    }
    if (event.kind == Access::atomic && (cell.writer & Cell::kAtomic)) return;
    if (!ordering_.before(writer, cell.write_time, event.thread)) race(cell, event, false, false);
  } else if (event.space == Space::global) {
    if (event.kind == Access::atomic && (cell.writer & Cell::kAtomic)) return;
    if (!ordering_.handed_over(writer, cell.write_time, event.thread))
      race(cell, event, false, true);
  }
}

void Checker::check_against_reads(const Cell& cell, const Event& event) {
  if (!ordering_.in_launch(cell.read_time)) return;
  if (ordering_.in_block(cell.read_time)) {
    if (!reads_before(cell, event.thread)) race(cell, event, true, false);
  } else if (event.space == Space::global) {
    if (!reads_handed_over(cell, event.thread)) race(cell, event, true, true);
  }
}

/// Whether all reads that the cell knows of, in this block, come before what `thread` does now.
/// Their times are not kept apart: a lane whose read is older than the latest counts as that one.
bool Checker::reads_before(const Cell& cell, int thread) const {
  if (!ordering_.since_barrier(cell.read_time)) return true;
  if (cell.reader_warp == Cell::kSeveralWarps) return false;
  for (unsigned rest = cell.reader_lanes; rest != 0; rest &= rest - 1) {
    const int reader = cell.reader_warp * 32 + __builtin_ctz(rest);
    if (!ordering_.before(reader, cell.read_time, thread)) return false;
  }
  return true;
}

bool Checker::reads_handed_over(const Cell& cell, int thread) const {
  if (cell.reader_warp == Cell::kSeveralWarps)
    return ordering_.handed_over(Ordering::kAnyThread, cell.read_time, thread);
  for (unsigned rest = cell.reader_lanes; rest != 0; rest &= rest - 1) {
    const int reader = cell.reader_warp * 32 + __builtin_ctz(rest);
    if (!ordering_.handed_over(reader, cell.read_time, thread)) return false;
  }
  return true;
}

void Checker::record(Cell& cell, const Event& event) {
  if (event.writes()) {
    const int flags = event.kind == Access::atomic        ? Cell::kAtomic
                      : event.kind == Access::copy_issued ? Cell::kPending
                                                          : 0;
    cell.writer = static_cast<uint16_t>(event.thread | flags);
    cell.write_time = ordering_.now();
    cell.written_at = event.at;
    return;
  }
  // A later write that comes after this read comes after every read before it: those may go.
  const auto warp = static_cast<uint8_t>(event.thread / 32);
  const uint32_t lane = 1u << (event.thread % 32);
  if (!ordering_.in_block(cell.read_time) || reads_before(cell, event.thread)) {
    cell.reader_warp = warp;
    cell.reader_lanes = lane;
  } else if (cell.reader_warp == warp) {
    cell.reader_lanes |= lane;
  } else {
    cell.reader_warp = Cell::kSeveralWarps;
  }
  cell.read_time = ordering_.now();
  cell.read_at = event.at;
}

void Checker::race(const Cell& cell, const Event& event, bool with_read, bool between_blocks) {
  Party other{cell.writer & Cell::kThread, between_blocks, cell.written_at};
  if (with_read) {
    const bool several = cell.reader_warp == Cell::kSeveralWarps ||
                         (cell.reader_lanes & (cell.reader_lanes - 1)) != 0;
    other.thread =
        several ? Party::kSeveralThreads : cell.reader_warp * 32 + __builtin_ctz(cell.reader_lanes);
    other.at = cell.read_at;
  }
  const char* does = !event.writes() ? "reads what is written by"
                     : with_read     ? "writes what is read by"
                                     : "writes what is also written by";
  report_.add(between_blocks ? "race between blocks" : "race", event.party(), does, other,
              event.spot());
}

}  // namespace

void check_access(const void* address, size_t bytes, Access kind, const void* program_counter) {
  // The compiler's calls come from host code too, and from before the first constructor.
  if (current_thread < 0 || on_fiber_stack(address_of(address)) || !inside_kernel()) return;
  if (kind == Access::atomic) checker().ordering().atomic(address_of(address), current_thread);
  checker().access(address_of(address), bytes, kind, program_counter);
}

void check_alignment(const void* address, const void* program_counter) {
  if (current_thread < 0 || address_of(address) % 8 == 0 || !inside_kernel()) return;
  checker().misaligned(address_of(address), program_counter);
}

void check_allocated(const void* base, size_t bytes) {
  checker().allocated(address_of(base), bytes);
}
void check_released(const void* base) {
  checker().released(address_of(base));
}
void check_host_write(const void* address, size_t bytes) {
  checker().host_write(address_of(address), bytes);
}
void check_device_copy(const void* to, const void* from, size_t bytes) {
  checker().device_copy(address_of(to), address_of(from), bytes);
}
void check_launch_started(const void* arguments, size_t argument_bytes) {
  checker().start_launch(address_of(arguments), argument_bytes);
}
void check_block_started(int threads) {
  checker().ordering().start_block(threads);
}
void check_block_barrier() {
  checker().ordering().block_barrier();
}
void check_warp_barrier(int first_thread, unsigned mask) {
  checker().ordering().warp_barrier(first_thread, mask);
}
void check_fence() {
  checker().ordering().fence(current_thread);
}
std::string check_launch_ended() {
  return checker().findings();
}
bool checker_linked() {
  return true;
}

}  // namespace topograd::simt::emulator
