// Scheduler of the threads of one block, on fibers: which runs next, and which wait for each other.
// Internal to the runtime.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/simt/fiber.h"
#include "kernels/simt/runtime.h"

namespace topograd::simt::emulator {

/// Threads that can go on, in the order in which they will.
class ReadyQueue {
 public:
  bool empty() const { return head_ == threads_.size(); }
  void clear();
  void push(int thread) { threads_.push_back(thread); }
  /// Removes and returns the first thread; -1 where there is none.
  int pop();
  /// Shuffles the newest `count` threads, and lets the threads of warps with a high priority go
  /// before those of warps with a low one.
  void order_newest(size_t count, const unsigned* warp_priority, std::mt19937& random);

 private:
  std::vector<int> threads_;
  size_t head_ = 0;
};

class Scheduler {
 public:
  /// Runs all blocks one after the other. Returns what went wrong, or an empty string.
  std::string run(const Kernel& kernel, dim3 grid, dim3 block);
  void set_seed(unsigned seed);
  /// Returns a random bit under a random schedule, false in the natural one.
  bool toss();

  void meet_warp(unsigned mask, const char* operation, Place place, void* slot,
                 WarpCombine combine);
  void meet_block(const char* operation, Place place, void* slot, BlockCombine combine);

 private:
  enum class State : uint8_t { unstarted, running, ready, in_warp, in_block, exited };
  struct Thread {
    uint3 index;
    State state;
    unsigned mask;  // lanes of the warp operation it waits in
    Fiber* fiber;
    void* slot;
    const char* operation;
    Place place;
    WarpCombine combine;
  };

  void set_block(dim3 block);
  void run_block();
  void begin_block();
  void run_fiber();
  void run_thread(int thread);
  void fail(std::string error);
  void switch_away();
  void wait(Thread& self);
  void switch_from_host(Fiber& fiber);
  Fiber& idle_fiber();
  void forget_fibers();
  std::string describe_deadlock() const;
  static bool all_wait(const Thread* warp, unsigned waiting, unsigned mask);
  void require_same_operation(const Thread& self, const Thread& other) const;

  Kernel kernel_{};
  std::string error_;
  dim3 block_{0, 0, 0};
  std::vector<Thread> threads_;
  int live_ = 0;            // threads that have not returned
  int unstarted_next_ = 0;  // index into start_order_
  std::vector<int> start_order_;
  ReadyQueue ready_;
  std::vector<void*> block_slots_;
  int waiting_in_block_ = 0;
  int first_in_block_ = -1;            // first of those that wait at the barrier
  unsigned waiting_in_warp_[32] = {};  // lanes of each warp

  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;  // a fiber holds addresses of itself
  std::vector<Fiber*> idle_fibers_;
  Fiber* current_fiber_ = nullptr;

  unsigned seed_ = 0;
  std::mt19937 random_;
  unsigned warp_priority_[32] = {};
};

extern Scheduler scheduler;

}  // namespace topograd::simt::emulator
