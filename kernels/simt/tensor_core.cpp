#include "kernels/simt/tensor_core.h"

#include <cstring>
#include <vector>

#include "kernels/simt/checker.h"
#include "kernels/simt/runtime_internal.h"
#include "kernels/simt/scheduler.h"

namespace topograd::simt::emulator {

namespace {

constexpr size_t kCopyBytes = 16;

struct PendingCopy {
  void* to;
  const void* from;  // source; nullptr: zeros
  int group;
};

/// The copies that one thread has started and not waited for, oldest first.
struct CopyQueue {
  std::vector<PendingCopy> copies;
  int open_group = 0;
};

std::vector<CopyQueue> queues;  // one per thread of the block
bool queues_used = false;

bool misaligned(const void* address) {
  return reinterpret_cast<uintptr_t>(address) % kCopyBytes != 0;
}

void perform(const PendingCopy& copy) {
  if (copy.from)
    std::memcpy(copy.to, copy.from, kCopyBytes);
  else
    std::memset(copy.to, 0, kCopyBytes);
}

CopyQueue& current_queue() {
  return queues[static_cast<size_t>(current_thread)];
}

}  // namespace

void forget_copies(int threads) {
  if (queues_used || queues.size() != static_cast<size_t>(threads))
    queues.assign(static_cast<size_t>(threads), CopyQueue{});
  queues_used = false;
}

void start_copy(void* to, const void* from, bool valid, Place place) {
  const void* program_counter = __builtin_return_address(0);
  if (!is_shared(to)) fail_in_kernel(place, "copy_async_16: the target is not shared memory");
  if (misaligned(to)) fail_in_kernel(place, "copy_async_16: the target is not 16-byte aligned");
  if (misaligned(from)) fail_in_kernel(place, "copy_async_16: the source is not 16-byte aligned");
  if (valid) {
    check_access(from, kCopyBytes, Access::read, program_counter);
    // Read now as well, so that AddressSanitizer speaks while the kernel's line is on the stack.
    unsigned char sample[kCopyBytes];
    std::memcpy(sample, from, kCopyBytes);
    asm volatile("" ::"r"(sample) : "memory");
  }
  check_access(to, kCopyBytes, Access::copy_issued, program_counter);
  queues_used = true;
  const PendingCopy copy{to, valid ? from : nullptr, current_queue().open_group};
  if (scheduler.toss()) perform(copy);  // the hardware may be as early as this
  current_queue().copies.push_back(copy);
}

void commit_copies() {
  ++current_queue().open_group;
  queues_used = true;
}

void wait_for_copies(int pending_groups) {
  CopyQueue& queue = current_queue();
  size_t done = 0;
  for (const PendingCopy& copy : queue.copies) {
    if (copy.group >= queue.open_group - pending_groups) break;
    perform(copy);
    check_access(copy.to, kCopyBytes, Access::copy_done, __builtin_return_address(0));
    ++done;
  }
  queue.copies.erase(queue.copies.begin(),
                     queue.copies.begin() + static_cast<std::ptrdiff_t>(done));
}

void read_matrix_row(void* to, const void* row, Place place) {
  if (!is_shared(row)) fail_in_kernel(place, "ldmatrix: the row is not in shared memory");
  if (misaligned(row)) fail_in_kernel(place, "ldmatrix: the row is not 16-byte aligned");
  check_access(row, kCopyBytes, Access::read, __builtin_return_address(0));
  std::memcpy(to, row, kCopyBytes);
}

void multiply_fragments(void** slots, unsigned) {
  float A[16][16];
  float B[16][8];
  float C[16][8];
  // Of every fragment, lane l holds pieces whose row (in B: column) is l / 4 and whose columns (in
  // B: rows) are 2 * (l % 4) and the next; further pieces lie 8 further down or right.
  for (int lane = 0; lane < 32; ++lane) {
    const auto& slot = *static_cast<const MmaSlot*>(slots[lane]);
    const int row = lane / 4;
    const int column = 2 * (lane % 4);
    for (int i = 0; i < 4; ++i) {
      A[row + 8 * (i % 2)][column + 8 * (i / 2)] = lower_bfloat16(slot.a[i]);
      A[row + 8 * (i % 2)][column + 8 * (i / 2) + 1] = upper_bfloat16(slot.a[i]);
      C[row + 8 * (i / 2)][column + i % 2] = slot.c[i];
    }
    for (int i = 0; i < 2; ++i) {
      B[column + 8 * i][row] = lower_bfloat16(slot.b[i]);
      B[column + 8 * i + 1][row] = upper_bfloat16(slot.b[i]);
    }
  }
  // The hardware's order of summation is not documented: a kernel's tolerance covers any.
  for (int m = 0; m < 16; ++m)
    for (int k = 0; k < 16; ++k)
      for (int n = 0; n < 8; ++n) C[m][n] += A[m][k] * B[k][n];
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i)
      static_cast<const MmaSlot*>(slots[lane])->d[i] =
          C[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2];
}

}  // namespace topograd::simt::emulator
