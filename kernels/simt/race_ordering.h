// Which access comes before which, by CUDA's rules alone:
//   - a thread's own accesses are in order;
//   - a block barrier orders everything before it, in its block, before everything after it;
//   - a __syncwarp does the same for the lanes that it names;
//   - an atomic operation after a __threadfence hands over what came before the fence to whoever
//     next does an atomic operation on the same address, across blocks too;
//   - nothing else orders anything: no shuffle, no vote, no atomic operation alone.
//
// Time is one counter. It advances at every one of these events, so an access is known well enough
// by its thread and the time. Blocks run one after the other: a time also tells the block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace topograd::simt::emulator {

class Ordering {
 public:
  static constexpr uint32_t kNever = 0;
  static constexpr uint32_t kHost = 1;  // time of accesses by the host, before the launch

  /// Whether the counter is about to overflow; then a new Ordering is needed, and all earlier times
  /// must be forgotten.
  bool exhausted() const { return now_ > 0xf0000000u; }

  void start_launch();
  void start_block(int threads);
  void block_barrier();
  void warp_barrier(int first_thread, unsigned mask);
  void fence(int thread);
  void atomic(uintptr_t address, int thread);

  uint32_t now() const { return now_; }
  bool in_launch(uint32_t time) const { return time >= launch_start_; }
  bool in_block(uint32_t time) const { return time >= block_start_; }
  bool since_barrier(uint32_t time) const { return time >= last_barrier_; }

  /// Whether an access of the running block, by `other` at `time`, comes before whatever `thread`
  /// does now.
  bool before(int other, uint32_t time, int thread) const {
    if (other == thread || !since_barrier(time)) return true;
    return other / 32 == thread / 32 && time < seen_[index(thread)][index(other % 32)];
  }
  /// Whether an access of an earlier block of this launch, by `other` at `time`, comes before
  /// whatever `thread` does now. `other` may be kAnyThread.
  bool handed_over(int other, uint32_t time, int thread) const;
  static constexpr int kAnyThread = -1;

 private:
  /// The time, for each lane of a warp, before which its accesses come before this thread's.
  using Seen = std::array<uint32_t, 32>;
  /// Knowledge of a thread at its last fence, which its atomic operations hand over.
  struct Fence {
    uint32_t block_start = kNever;
    uint32_t last_barrier = kNever;
    uint32_t time = kNever;
    int thread = 0;
    Seen seen{};
    bool covers(int other, uint32_t time_of_access) const;
  };
  /// A thread's atomic operation on an address that has received `fences` fences so far.
  struct Acquisition {
    const std::vector<Fence>* address;
    size_t fences;
    int thread;
    uint32_t time;
  };
  static size_t index(int i) { return static_cast<size_t>(i); }

  uint32_t now_ = kHost + 1;
  uint32_t launch_start_ = kHost + 1;
  uint32_t block_start_ = kHost + 1;
  uint32_t last_barrier_ = kHost + 1;
  std::vector<Seen> seen_;                             // per thread
  std::vector<Fence> fence_;                           // per thread, its last one
  std::map<uintptr_t, std::vector<Fence>> handed_to_;  // per address, of this launch
  std::vector<Acquisition> acquisitions_;              // of this block
};

}  // namespace topograd::simt::emulator
