// norms[i] = square root of the sum of squares of segment i, in dot's order: the bits of the CPU's
// implementations.
//
// Segments differ by five orders of magnitude (a BatchNorm's bias, a linear layer). So the unit of
// work is not the segment but the block of dot's order, at most 4096 elements of one segment. The
// host lists the blocks of all segments and uploads the list into the workspace:
//   square_blocks_kernel: warp w owns blocks w, w + step, ...; it leaves each one's sum of squares.
//   norms_kernel: thread i owns segment i, adds the sums of its blocks in order, takes the root.
//
// Traffic: 4 bytes per element, and 32 per block for the list and the sums. Work: 2 FLOP in double
// per element. For a network's filters, 27 to 4608 elements, latency bounds it: a block is one to
// 128 rounds of loads, one after the other, and there are some hundreds to thousands of them. What
// costs more is the upload: the host waits for the copy. Therefore a Recording cannot hold it.
#include <vector>

#include "kernels/filter_norm/filter_norm.h"
#include "kernels/vector/dot_warp.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;

/// Work of one warp, as elements of x.
struct Block {
  int64_t offset;
  int64_t length;  // at most kDotBlock
};

__global__ void __launch_bounds__(kThreads)
    square_blocks_kernel(double* __restrict__ sums, const float* __restrict__ x,
                         const Block* __restrict__ list, int64_t blocks) {
  // This thread's warp owns blocks first_warp(), first_warp() + warp_step(), ... of the list.
  for (int64_t i = first_warp(); i < blocks; i += warp_step()) {
    const Block block = list[i];
    const float* begin = x + block.offset;
    const double sum = dot_block(begin, begin, static_cast<int>(block.length));
    if (threadIdx.x % kWarp == 0) sums[i] = sum;
  }
}

/// Kernel of the segments: segment i has blocks [ends[i - 1], ends[i]); the first begins at 0.
__global__ void __launch_bounds__(kThreads)
    norms_kernel(double* __restrict__ norms, const double* __restrict__ sums,
                 const int64_t* __restrict__ ends, int64_t segments) {
  // This thread owns segments first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < segments; i += element_step()) {
    double sum = 0;
    for (int64_t block = i == 0 ? 0 : ends[i - 1]; block < ends[i]; ++block) sum += sums[block];
    norms[i] = sqrt(sum);
  }
}

void run(const FilterNormsArgs& args, Context& context) {
  std::vector<Block> list;
  std::vector<int64_t> ends;
  for (int64_t i = 0; i < args.count; ++i) {
    const auto [offset, length] = args.segments[i];
    for (int64_t done = 0; done < length; done += kDotBlock)
      list.push_back({offset + done, std::min(length - done, kDotBlock)});
    ends.push_back(static_cast<int64_t>(list.size()));
  }
  const int64_t blocks = static_cast<int64_t>(list.size());
  const int64_t list_bytes = blocks * static_cast<int64_t>(sizeof(Block));
  const int64_t ends_bytes = args.count * static_cast<int64_t>(sizeof(int64_t));
  const int64_t sums_bytes = blocks * static_cast<int64_t>(sizeof(double));
  auto* workspace =
      static_cast<std::byte*>(context.workspace(list_bytes + ends_bytes + sums_bytes));
  auto* list_there = reinterpret_cast<Block*>(workspace);
  auto* ends_there = reinterpret_cast<int64_t*>(workspace + list_bytes);
  auto* sums = reinterpret_cast<double*>(workspace + list_bytes + ends_bytes);
  const DeviceDriver& driver = driver_of(kDevice);
  driver.copy_in(list_there, list.data(), list_bytes);
  driver.copy_in(ends_there, ends.data(), ends_bytes);
  launch(square_blocks_kernel, grid_for(blocks * kWarp, kThreads), dim3(kThreads), 0, context, sums,
         pointer<float>(args.x), list_there, blocks);
  launch(norms_kernel, grid_for(args.count, kThreads), dim3(kThreads), 0, context,
         pointer<double>(args.norms), sums, ends_there, args.count);
}

}  // namespace

void register_filter_norm_1_warp(OpRegistry& registry) {
  registry.add<FilterNormsArgs>(
      {"warp", kDevice, [](const FilterNormsArgs& args) { return all_f32(args.x); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
