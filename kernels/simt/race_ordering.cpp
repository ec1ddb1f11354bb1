#include "kernels/simt/race_ordering.h"

#include <algorithm>

namespace topograd::simt::emulator {

void Ordering::start_launch() {
  launch_start_ = ++now_;
  handed_to_.clear();
}

void Ordering::start_block(int threads) {
  block_start_ = last_barrier_ = ++now_;
  acquisitions_.clear();
  // What earlier blocks left in here lies before block_start_, and so says nothing.
  if (seen_.size() < index(threads)) {
    seen_.resize(index(threads));
    fence_.resize(index(threads));
  }
}

void Ordering::block_barrier() {
  last_barrier_ = ++now_;
}

void Ordering::warp_barrier(int first_thread, unsigned mask) {
  ++now_;
  Seen joint{};
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const Seen& one = seen_[index(first_thread + lane)];
    for (size_t i = 0; i < joint.size(); ++i) joint[i] = std::max(joint[i], one[i]);
  }
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) joint[index(__builtin_ctz(rest))] = now_;
  for (unsigned rest = mask; rest != 0; rest &= rest - 1)
    seen_[index(first_thread + __builtin_ctz(rest))] = joint;
}

void Ordering::fence(int thread) {
  ++now_;  // later actions of the thread come after the fence
  fence_[index(thread)] = {block_start_, last_barrier_, now_, thread, seen_[index(thread)]};
}

void Ordering::atomic(uintptr_t address, int thread) {
  const auto found = handed_to_.find(address);
  if (found != handed_to_.end())
    acquisitions_.push_back({&found->second, found->second.size(), thread, now_});
  const Fence& fence = fence_[index(thread)];
  if (fence.block_start == block_start_) handed_to_[address].push_back(fence);
}

bool Ordering::Fence::covers(int other, uint32_t time_of_access) const {
  if (time_of_access < block_start || time_of_access >= time) return false;
  if (time_of_access < last_barrier) return true;
  if (other == kAnyThread) return false;
  if (other == thread) return true;
  return other / 32 == thread / 32 && time_of_access < seen[index(other % 32)];
}

bool Ordering::handed_over(int other, uint32_t time, int thread) const {
  for (const Acquisition& acquisition : acquisitions_) {
    if (!before(acquisition.thread, acquisition.time, thread)) continue;
    for (size_t i = 0; i < acquisition.fences; ++i)
      if ((*acquisition.address)[i].covers(other, time)) return true;
  }
  return false;
}

}  // namespace topograd::simt::emulator
