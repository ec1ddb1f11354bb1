// result = sum of a[i] b[i] in double, in the order of dot_order.h: the bits of the CPU's
// implementations.
//
// That order is made of blocks of 4096 terms with 32 partial sums each, which is a warp:
//   dot_blocks_kernel: warp w owns blocks w, w + step, ...; its lane l holds partial sum l. The
//     lanes are added by halves, with shuffles; lane 0 leaves the block's sum in the workspace.
//   dot_total_kernel: one warp adds the blocks' sums in order, 32 of them per load.
//
// Traffic: 8 bytes per term (4 where a is b: the second read finds the line in the L1 cache), and
// 16 per 4096 terms for the sums. Work: 2 FLOP in double per term. Memory bounds the first kernel
// where there are blocks enough to keep it busy, some hundreds; below that the 128 rounds of loads
// of one block do, whatever the length. The second is one chain of additions, 4096 times shorter
// than the vector.
#include "kernels/vector/dot_warp.h"
#include "kernels/vector/vector.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    dot_blocks_kernel(double* __restrict__ sums, const float* a, const float* b, int64_t n,
                      int64_t blocks) {
  // This thread's warp owns blocks first_warp(), first_warp() + warp_step(), ...
  for (int64_t block = first_warp(); block < blocks; block += warp_step()) {
    const int64_t begin = block * kDotBlock;
    const int terms = static_cast<int>(min(n - begin, kDotBlock));
    const double sum = dot_block(a + begin, b + begin, terms);
    if (threadIdx.x % kWarp == 0) sums[block] = sum;
  }
}

__global__ void __launch_bounds__(kWarp)
    dot_total_kernel(double* __restrict__ result, const double* __restrict__ sums, int64_t blocks) {
  // This lane loads the sums of blocks lane, lane + 32, ...; all lanes add all of them.
  const int lane = static_cast<int>(threadIdx.x);
  double total = 0;
  for (int64_t first = 0; first < blocks; first += kWarp) {
    // Past the end zeros, which change no sum: total is never -0.
    const double mine = first + lane < blocks ? sums[first + lane] : 0.0;
    for (int i = 0; i < kWarp; ++i) total += __shfl_sync(kAllLanes, mine, i);
  }
  if (lane == 0) *result = total;
}

void run(const DotArgs& args, Context& context) {
  const int64_t n = args.a.size(), blocks = ceil_div(n, kDotBlock);
  auto* sums =
      static_cast<double*>(context.workspace(blocks * static_cast<int64_t>(sizeof(double))));
  launch(dot_blocks_kernel, grid_for(blocks * kWarp, kThreads), dim3(kThreads), 0, context, sums,
         pointer<float>(args.a), pointer<float>(args.b), n, blocks);
  launch(dot_total_kernel, dim3(1), dim3(kWarp), 0, context, pointer<double>(args.result), sums,
         blocks);
}

}  // namespace

void register_dot_1_warp(OpRegistry& registry) {
  registry.add<DotArgs>(
      {"warp", kDevice, [](const DotArgs& args) { return all_f32(args.a); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
