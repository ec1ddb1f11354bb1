// dgamma[c] = sum of dy xhat and dbeta[c] = sum of dy over the rows, and with tangents
// dgamma'[c] = sum of dy' xhat + dy xhat' and dbeta'[c] = sum of dy'.
//
// Sums over rows want a thread per channel, a row's statistics want a warp per row. So there are
// three kernels:
//   1. statistics: a warp owns row r, then r + warps of the grid, ..., and writes mean and inverse,
//      with tangents a and b too, as doubles.
//   2. sums: block (b, k) owns a run of rows and 32 channels; thread t owns channel t % 32 of the
//      rows t / 32, t / 32 + 8, ... of its block, so that a warp reads 128 consecutive bytes. Two
//      sums of each thread meet in shared memory (4 KB), where the first warp adds the eight of its
//      channel.
//   3. totals: thread c owns a channel and adds the blocks' sums in their order.
// The cut depends on the shape alone and every sum has a fixed order: the same bits every time.
//
// Traffic: 4 bytes per element of x in the first kernel (8 with x'), 8 in the second (16 with
// tangents), and 16 or 32 bytes per row twice. Work: 5 FLOP in double per element in the first, 4
// in the second (with tangents 9 and 10).
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/layer_norm_tangent.h"
#include "kernels/layer_norm/row_statistics.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr int kRowsAtOnce = kThreads / kWarp;
constexpr int64_t kMaxRuns = 256;    // blocks along the rows, which one thread adds up
constexpr int64_t kRowsPerRun = 64;  // fewest, where there are enough

/// Statistics of a row; a and b with tangents alone.
struct Row {
  RowStatistics row;
  RowTangent tangent;
};

/// Operands, [rows, C] each; dy_tangent and x_tangent null: no tangents.
struct Operands {
  const float *dy, *x, *dy_tangent, *x_tangent;
  int64_t rows, C;
};

__global__ void __launch_bounds__(kThreads)
    statistics_kernel(Row* __restrict__ statistics, Operands in, double epsilon) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < in.rows; r += element_step() / kWarp) {
    const int64_t begin = r * in.C;
    Row row{row_statistics(in.x + begin, in.C, epsilon, lane), {0, 0}};
    if (in.x_tangent)  // for all threads alike
      row.tangent = row_tangent(row.row, in.x_tangent + begin, in.x + begin, in.C, lane);
    if (lane == 0) statistics[r] = row;
  }
}

/// Sets partial[b, 0, c] and partial[b, 1, c]: the sums for gamma and for beta over the rows of run
/// b.
__global__ void __launch_bounds__(kThreads)
    sums_kernel(double* __restrict__ partial, const Row* __restrict__ statistics, Operands in,
                int64_t rows_per_run) {
  // This thread owns channel c of every eighth row of its block's run.
  const int t = static_cast<int>(threadIdx.x);
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kWarp + t % kWarp;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * rows_per_run;
  const int64_t end = min(first + rows_per_run, in.rows);
  double gamma = 0, beta = 0;
  if (c < in.C)
    for (int64_t r = first + t / kWarp; r < end; r += kRowsAtOnce) {
      const int64_t i = r * in.C + c;
      const Row row = statistics[r];
      const double xhat = row.row.xhat(in.x[i]), dy = in.dy[i];
      if (in.x_tangent) {  // for all threads alike
        const double moved = in.dy_tangent[i];
        gamma += moved * xhat + dy * row.tangent.xhat_tangent(row.row, in.x_tangent[i], xhat);
        beta += moved;
      } else {
        gamma += dy * xhat;
        beta += dy;
      }
    }
  __shared__ double sums[2][kThreads];
  sums[0][t] = gamma;
  sums[1][t] = beta;
  __syncthreads();  // all sums are there before they are added
  // The first warp goes on; no barrier follows.
  if (t >= kWarp || c >= in.C) return;
  for (int i = t + kWarp; i < kThreads; i += kWarp) {
    gamma += sums[0][i];
    beta += sums[1][i];
  }
  double* run = partial + static_cast<int64_t>(blockIdx.x) * 2 * in.C;
  run[c] = gamma;
  run[in.C + c] = beta;
}

/// Sets gamma[c] = (accumulate ? gamma[c] : 0) + sum of partial[b, 0, c] over b, and beta in the
/// same way.
__global__ void __launch_bounds__(kThreads)
    totals_kernel(float* gamma, float* beta, const double* __restrict__ partial, int64_t runs,
                  int64_t C, bool accumulate) {
  for (int64_t c = first_element(); c < C; c += element_step()) {  // this thread's channels
    double sum_gamma = accumulate ? gamma[c] : 0, sum_beta = accumulate ? beta[c] : 0;
    for (int64_t b = 0; b < runs; ++b) {
      sum_gamma += partial[b * 2 * C + c];
      sum_beta += partial[b * 2 * C + C + c];
    }
    gamma[c] = static_cast<float>(sum_gamma);
    beta[c] = static_cast<float>(sum_beta);
  }
}

void sums(const Tensor& gamma, const Tensor& beta, const Operands& in, double epsilon, Write write,
          Context& context) {
  const int64_t rows_per_run = std::max(ceil_div(in.rows, kMaxRuns), kRowsPerRun);
  const int64_t runs = ceil_div(in.rows, rows_per_run);
  const int64_t statistics_bytes = in.rows * static_cast<int64_t>(sizeof(Row));
  const int64_t partial_bytes = runs * 2 * in.C * static_cast<int64_t>(sizeof(double));
  auto* const memory = static_cast<char*>(context.workspace(statistics_bytes + partial_bytes));
  Row* const statistics = reinterpret_cast<Row*>(memory);
  double* const partial = reinterpret_cast<double*>(memory + statistics_bytes);
  if (in.rows > 0) {
    launch(statistics_kernel, grid_for(in.rows * kWarp, kThreads), dim3(kThreads), 0, context,
           statistics, in, epsilon);
    const dim3 grid(static_cast<unsigned>(runs), static_cast<unsigned>(ceil_div(in.C, kWarp)));
    launch(sums_kernel, grid, dim3(kThreads), 0, context, partial, statistics, in, rows_per_run);
  }
  launch(totals_kernel, grid_for(in.C, kThreads), dim3(kThreads), 0, context, pointer<float>(gamma),
         pointer<float>(beta), partial, runs, in.C, write == Write::accumulate);
}

void backward_sums(const LayerNormBackwardSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma.size();
  sums(args.dgamma, args.dbeta,
       {pointer<float>(args.dy), pointer<float>(args.x), nullptr, nullptr, args.x.size() / C, C},
       args.epsilon, args.write, context);
}

void tangent_sums(const LayerNormTangentSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma_tangent.size();
  sums(args.dgamma_tangent, args.dbeta_tangent,
       {pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.dy_tangent),
        pointer<float>(args.x_tangent), args.x.size() / C, C},
       args.epsilon, args.write, context);
}

}  // namespace

void register_layer_norm_sums_1_split(OpRegistry& registry) {
  registry.add<LayerNormBackwardSumsArgs>(
      {"split", kDevice, [](const LayerNormBackwardSumsArgs& args) { return all_f32(args.x); },
       backward_sums});
  registry.add<LayerNormTangentSumsArgs>(
      {"split", kDevice, [](const LayerNormTangentSumsArgs& args) { return all_f32(args.x); },
       tangent_sums});
}

}  // namespace topograd::TOPOGRAD_BACKEND
