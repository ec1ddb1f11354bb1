// db[c] = sum of dy[row, c] over the rows: the rows are split among blocks, the blocks' sums added
// in a second kernel.
//
// First kernel, blocks of 256 threads, grid (B, C / 256): block b owns consecutive rows. Its
// threads lie over `width` channels, up to 256, and 256 / width rows, so that they read consecutive
// floats whatever C is (at C = 10: 250 of them, 6 idle). Thread t owns channel t % width of the
// rows t / width, t / width + 256 / width, ... Its sum goes to shared memory (2 KB), where the
// first `width` threads add the sums of their channel.
// Second kernel: a warp owns a channel, lane l the blocks l, l + 32, ...; five exchanges add the
// sums of the lanes.
// B depends on rows and C alone, and every sum has a fixed order: the same bits every time. With
// atomics no second kernel were needed, but blocks would add in the order in which they finish.
//
// Traffic: 4 bytes per element of dy, and 16 B C for the blocks' sums: 2 % of it at 131,072 rows of
// 16 channels. Work: one addition and one conversion in double per element, which keeps up with
// memory where a multiprocessor has 64 double units; one with 2 is bounded by them.
// Since rung 1: 131,072 rows of 16 channels occupy 512 blocks in place of 16 threads. Memory bounds
// it: 2 us, and some 3 us for the second kernel (predicted).
#include "kernels/add/add.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 512;     // along the rows; one lane of the second kernel adds 16
constexpr int64_t kRowsPerThread = 16;  // fewest, where there are enough rows

/// Division of the work among blocks, by the shape alone.
struct Cut {
  int64_t rows, C;
  int64_t width;           // channels of a block
  int64_t rows_at_once;    // rows that a block reads in one step
  int64_t rows_per_block;  // a multiple of rows_at_once
  int64_t blocks;          // blocks along the rows
  Cut(int64_t rows_, int64_t C_)
      : rows(rows_), C(C_), width(std::min<int64_t>(C, kThreads)), rows_at_once(kThreads / width) {
    const int64_t steps = ceil_div(ceil_div(rows, kMaxBlocks), rows_at_once);
    rows_per_block = std::max(steps, kRowsPerThread) * rows_at_once;
    blocks = std::max<int64_t>(ceil_div(rows, rows_per_block), 1);
  }
};

/// partial[b, c] = sum of the rows of block b.
__global__ void __launch_bounds__(kThreads)
    sum_rows_kernel(double* __restrict__ partial, const float* __restrict__ dy, Cut cut) {
  const int64_t t = threadIdx.x, c = blockIdx.y * cut.width + t % cut.width;  // its channel
  const int64_t begin = blockIdx.x * cut.rows_per_block;
  const int64_t end = min(begin + cut.rows_per_block, cut.rows);
  double sum = 0;
  if (t < cut.rows_at_once * cut.width && c < cut.C)
    for (int64_t row = begin + t / cut.width; row < end; row += cut.rows_at_once)
      sum += dy[row * cut.C + c];
  __shared__ double sums[kThreads];
  sums[t] = sum;
  __syncthreads();  // the sums are complete before they are added
  // The first `width` threads go on; no barrier follows.
  if (t >= cut.width || c >= cut.C) return;
  for (int64_t i = 1; i < cut.rows_at_once; ++i) sum += sums[t + i * cut.width];
  partial[blockIdx.x * cut.C + c] = sum;
}

/// db[c] = (accumulate ? db[c] : 0) + sum of partial[b, c] over b.
__global__ void __launch_bounds__(kThreads)
    sum_blocks_kernel(float* db, const double* __restrict__ partial, int64_t blocks, int64_t C,
                      bool accumulate) {
  const int lane = threadIdx.x % kWarp;
  for (int64_t c = first_element() / kWarp; c < C; c += element_step() / kWarp) {  // this warp's
    double sum = 0;
    for (int64_t b = lane; b < blocks; b += kWarp) sum += partial[b * C + c];
    for (int distance = kWarp / 2; distance > 0; distance /= 2)
      sum += __shfl_xor_sync(kAllLanes, sum, distance);
    if (lane == 0) db[c] = static_cast<float>(accumulate ? db[c] + sum : sum);
  }
}

void run(const BiasGradientArgs& args, Context& context) {
  const int64_t C = args.db.size();
  if (C == 0) return;
  const Cut cut(args.dy.size() / C, C);
  auto* partial = static_cast<double*>(
      context.workspace(cut.blocks * C * static_cast<int64_t>(sizeof(double))));
  const dim3 grid(static_cast<unsigned>(cut.blocks), static_cast<unsigned>(ceil_div(C, cut.width)));
  launch(sum_rows_kernel, grid, dim3(kThreads), 0, context, partial, pointer<float>(args.dy), cut);
  launch(sum_blocks_kernel, grid_for(C * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.db), partial, cut.blocks, C, args.write == Write::accumulate);
}

}  // namespace

void register_bias_gradient_2_split(OpRegistry& registry) {
  registry.add<BiasGradientArgs>(
      {"split", kDevice, [](const BiasGradientArgs& args) { return all_f32(args.dy); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
