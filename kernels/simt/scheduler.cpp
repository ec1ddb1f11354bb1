#include "kernels/simt/scheduler.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <numeric>

#include "kernels/simt/checker.h"
#include "kernels/simt/runtime_internal.h"

namespace topograd::simt {

// In a section of their own, so that the memory checker does not take them for shared memory.
#define TOPOGRAD_SIMT_STATE __attribute__((section("simt_state")))
TOPOGRAD_SIMT_STATE constinit uint3 threadIdx{0, 0, 0};
TOPOGRAD_SIMT_STATE constinit uint3 blockIdx{0, 0, 0};
TOPOGRAD_SIMT_STATE constinit dim3 blockDim;
TOPOGRAD_SIMT_STATE constinit dim3 gridDim;

namespace emulator {

TOPOGRAD_SIMT_STATE constinit int current_thread = -1;
Scheduler scheduler;

namespace {

std::string hex(unsigned mask) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08x", mask);
  return digits;
}

}  // namespace

void ReadyQueue::clear() {
  threads_.clear();
  head_ = 0;
}

int ReadyQueue::pop() {
  if (empty()) return -1;
  const int thread = threads_[head_++];
  if (empty()) {
    clear();
  } else if (head_ == 4 * kMaxThreads) {  // a queue that is never empty must not grow for ever
    threads_.erase(threads_.begin(), threads_.begin() + 4 * kMaxThreads);
    head_ = 0;
  }
  return thread;
}

void ReadyQueue::order_newest(size_t count, const unsigned* warp_priority, std::mt19937& random) {
  const auto begin = threads_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto newest = threads_.end() - static_cast<std::ptrdiff_t>(count);
  const auto goes_before = [&](int a, int b) {
    return warp_priority[a / 32] > warp_priority[b / 32];
  };
  std::shuffle(newest, threads_.end(), random);
  std::stable_sort(newest, threads_.end(), goes_before);
  std::inplace_merge(begin, newest, threads_.end(), goes_before);
}

void Scheduler::set_seed(unsigned seed) {
  seed_ = seed;
  random_.seed(seed);
}

bool Scheduler::toss() {
  return seed_ != 0 && random_() % 2 == 1;
}

void Scheduler::set_block(dim3 block) {
  if (block.x != block_.x || block.y != block_.y || block.z != block_.z) {
    block_ = block;
    threads_.assign(size_t{block.x} * block.y * block.z, Thread{});
    for (unsigned i = 0; i < threads_.size(); ++i)
      threads_[i].index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    start_order_.resize(threads_.size());
    block_slots_.resize(threads_.size());
  }
  std::iota(start_order_.begin(), start_order_.end(), 0);
}

std::string Scheduler::run(const Kernel& kernel, dim3 grid, dim3 block) {
  kernel_ = kernel;
  error_.clear();
  host_.is_host = true;
  set_block(block);
  gridDim = grid;
  blockDim = block;
  for (blockIdx.z = 0; blockIdx.z < grid.z && error_.empty(); ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < grid.y && error_.empty(); ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < grid.x && error_.empty(); ++blockIdx.x) run_block();
  return error_;
}

void Scheduler::begin_block() {
  const int threads = static_cast<int>(threads_.size());
  for (Thread& thread : threads_) thread.state = State::unstarted;
  live_ = threads;
  unstarted_next_ = 0;
  ready_.clear();
  waiting_in_block_ = 0;
  std::fill(std::begin(waiting_in_warp_), std::end(waiting_in_warp_), 0u);
  if (seed_ != 0) {
    std::shuffle(start_order_.begin(), start_order_.end(), random_);
    for (unsigned& priority : warp_priority_) priority = random_();
  }
  forget_copies(threads);
  check_block_started(threads);
}

void Scheduler::run_block() {
  begin_block();
  while (live_ > 0 && error_.empty()) {
    if (const int thread = ready_.pop(); thread >= 0) {
      switch_from_host(*threads_[static_cast<size_t>(thread)].fiber);
    } else if (unstarted_next_ < static_cast<int>(threads_.size())) {
      switch_from_host(idle_fiber());
    } else {
      fail(describe_deadlock());
    }
  }
  if (!error_.empty()) forget_fibers();
}

void Scheduler::switch_from_host(Fiber& fiber) {
  current_fiber_ = &fiber;
  switch_fiber(host_, fiber);
  current_thread = -1;
}

Fiber& Scheduler::idle_fiber() {
  if (idle_fibers_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>());
    prepare_fiber(*fibers_.back(), static_cast<int>(fibers_.size()) - 1, [] {
      fiber_entered();
      scheduler.run_fiber();
    });
    idle_fibers_.push_back(fibers_.back().get());
  }
  Fiber& fiber = *idle_fibers_.back();
  idle_fibers_.pop_back();
  return fiber;
}

/// Forgets all fibers after an error: threads that still wait will never go on.
void Scheduler::forget_fibers() {
  idle_fibers_.clear();
  fibers_.clear();
}

/// Runs as a fiber's whole life: it starts one thread after the other, as long as each runs to its
/// end. A thread that never waits thus costs no switch.
void Scheduler::run_fiber() {
  for (;;) {
    const int threads = static_cast<int>(threads_.size());
    while (unstarted_next_ < threads && error_.empty()) {
      run_thread(start_order_[static_cast<size_t>(unstarted_next_++)]);
      if (!ready_.empty()) break;  // those that were released go first
    }
    idle_fibers_.push_back(current_fiber_);
    switch_away();
  }
}

void Scheduler::run_thread(int thread) {
  Thread& self = threads_[static_cast<size_t>(thread)];
  current_thread = thread;
  threadIdx = self.index;
  self.state = State::running;
  self.fiber = current_fiber_;
  try {
    kernel_.call(kernel_.arguments);
  } catch (const std::exception& error) {
    fail(error.what());
  } catch (...) {
    fail("a kernel threw something that is not an exception");
  }
  self.state = State::exited;
  --live_;
}

void Scheduler::fail(std::string error) {
  if (error_.empty()) error_ = std::move(error);
}

/// Continues the next thread that can go on; without one the host, which starts new ones.
void Scheduler::switch_away() {
  Fiber& from = *current_fiber_;
  const int next = error_.empty() ? ready_.pop() : -1;
  current_fiber_ = next >= 0 ? threads_[static_cast<size_t>(next)].fiber : &host_;
  switch_fiber(from, *current_fiber_);
}

void Scheduler::wait(Thread& self) {
  const int thread = current_thread;
  switch_away();
  current_thread = thread;
  threadIdx = self.index;
  self.state = State::running;
}

std::string Scheduler::describe_deadlock() const {
  struct Group {
    int threads = 0;
    size_t first = 0;
  };
  std::map<std::string, Group> groups;  // by what their threads do
  for (size_t i = 0; i < threads_.size(); ++i) {
    const Thread& thread = threads_[i];
    std::string what = "returned";
    if (thread.state != State::exited) {
      what = text("in ", thread.operation);
      if (thread.state == State::in_warp) what += text(" of lanes ", hex(thread.mask));
      what += text(" at ", file_name(thread.place.file), ':', thread.place.line);
    }
    Group& group = groups[what];
    if (group.threads++ == 0) group.first = i;
  }
  std::string line = text("deadlock in block (", blockIdx.x, ',', blockIdx.y, ',', blockIdx.z, ')');
  const char* separator = ": ";
  for (const auto& [what, group] : groups) {
    const bool one = group.threads == 1;
    line += text(separator, group.threads, one ? " thread (" : " threads (", group.first,
                 one ? ") " : ", ...) ", what);
    separator = "; ";
  }
  return line;
}

void Scheduler::require_same_operation(const Thread& self, const Thread& other) const {
  if (self.combine == other.combine &&
      (self.operation == other.operation || std::strcmp(self.operation, other.operation) == 0))
    return;
  fail_in_kernel(self.place,
                 text("lanes of a warp diverge: ", self.operation, " meets ", other.operation,
                      " of ", file_name(other.place.file), ':', other.place.line));
}

/// Whether all lanes of the mask wait with that mask. A lane that waits with another one is still
/// on its way; if it never comes, that is a deadlock, which is reported.
bool Scheduler::all_wait(const Thread* warp, unsigned waiting, unsigned mask) {
  if ((waiting & mask) != mask) return false;
  for (unsigned rest = mask; rest != 0; rest &= rest - 1)
    if (warp[__builtin_ctz(rest)].mask != mask) return false;
  return true;
}

void Scheduler::meet_warp(unsigned mask, const char* operation, Place place, void* slot,
                          WarpCombine combine) {
  const int thread = current_thread;
  const int first = thread & ~31;
  const unsigned self_bit = 1u << (thread & 31);
  const int lanes = static_cast<int>(threads_.size()) - first;
  const unsigned existing = lanes >= 32 ? ~0u : (1u << lanes) - 1;
  if (mask == ~0u) mask = existing;  // the full mask means all of a last, partial warp
  if (!(mask & self_bit)) fail_in_kernel(place, text(operation, ": the mask lacks its own lane"));
  if (mask & ~existing)
    fail_in_kernel(place, text(operation, ": the mask names lanes that the block does not have"));

  Thread* const warp = &threads_[static_cast<size_t>(first)];
  Thread& self = warp[thread & 31];
  self.state = State::in_warp;
  self.mask = mask;
  self.slot = slot;
  self.operation = operation;
  self.place = place;
  self.combine = combine;
  unsigned& waiting = waiting_in_warp_[first / 32];
  waiting |= self_bit;
  if (!all_wait(warp, waiting, mask)) return wait(self);

  // The last lane to arrive does the work of all and goes on without a switch.
  void* slots[32];
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    require_same_operation(self, warp[lane]);
    slots[lane] = warp[lane].slot;
  }
  waiting &= ~mask;
  if (combine)
    combine(slots, mask);
  else
    check_warp_barrier(first, mask);
  self.state = State::running;
  const unsigned others = mask & ~self_bit;
  for (unsigned rest = others; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    warp[lane].state = State::ready;
    ready_.push(first + lane);
  }
  if (seed_ != 0)
    ready_.order_newest(static_cast<size_t>(__builtin_popcount(others)), warp_priority_, random_);
}

void Scheduler::meet_block(const char* operation, Place place, void* slot, BlockCombine combine) {
  const int thread = current_thread;
  Thread& self = threads_[static_cast<size_t>(thread)];
  self.state = State::in_block;
  self.slot = slot;
  self.operation = operation;
  self.place = place;
  if (waiting_in_block_ == 0) first_in_block_ = thread;
  const Place expected = threads_[static_cast<size_t>(first_in_block_)].place;
  if (expected.line != place.line ||
      (expected.file != place.file && std::strcmp(expected.file, place.file) != 0))
    fail_in_kernel(place, text("divergent barrier: other threads of the block wait at ",
                               file_name(expected.file), ':', expected.line));
  // All threads, not those that live: one that has returned never arrives, which is reported.
  const int threads = static_cast<int>(threads_.size());
  if (++waiting_in_block_ < threads) return wait(self);

  if (combine) {
    for (size_t i = 0; i < threads_.size(); ++i) block_slots_[i] = threads_[i].slot;
    combine(block_slots_.data(), threads);
  }
  waiting_in_block_ = 0;
  check_block_barrier();
  self.state = State::running;
  for (int i : start_order_) {
    if (i == thread) continue;
    threads_[static_cast<size_t>(i)].state = State::ready;
    ready_.push(i);
  }
  if (seed_ != 0) ready_.order_newest(static_cast<size_t>(threads - 1), warp_priority_, random_);
}

void meet_warp(unsigned mask, const char* operation, Place place, void* slot, WarpCombine combine) {
  scheduler.meet_warp(mask, operation, place, slot, combine);
}

void meet_block(const char* operation, Place place, void* slot, BlockCombine combine) {
  scheduler.meet_block(operation, place, slot, combine);
}

}  // namespace emulator
}  // namespace topograd::simt
