// Sums over pixels of dy and dy xhat per channel, and their tangents, where xhat standardises rows:
// what layer_norm_sums_1_split.cu and group_norm_sums_1_split.cu share, and the first of them
// explains. `Rows` says what a row is: `count` rows of `size` elements, row(x, r) has row r of an
// array (see row_statistics.h), row_of(pixel, channel) is the row that an element belongs to.
#pragma once

#include <algorithm>

#include "kernels/layer_norm/row_statistics.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kSumThreads = 256;
constexpr int kRowsAtOnce = kSumThreads / kWarp;
constexpr int64_t kMaxRuns = 256;      // blocks along the pixels, which one thread adds up
constexpr int64_t kPixelsPerRun = 64;  // fewest, where there are enough

/// Statistics of a row; a and b with tangents alone.
struct RowOfSums {
  RowStatistics row;
  RowTangent tangent;
};

/// Operands, [pixels, C] each; dy_tangent and x_tangent null: no tangents.
struct SumOperands {
  const float *dy, *x, *dy_tangent, *x_tangent;
  int64_t pixels, C;
};

template <class Rows>
__global__ void __launch_bounds__(kSumThreads)
    statistics_kernel(RowOfSums* __restrict__ statistics, SumOperands in, Rows rows,
                      double epsilon) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < rows.count; r += element_step() / kWarp) {
    const auto x = rows.row(in.x, r);
    RowOfSums row{row_statistics(x, rows.size, epsilon, lane), {0, 0}};
    if (in.x_tangent)  // for all threads alike
      row.tangent = row_tangent(row.row, rows.row(in.x_tangent, r), x, rows.size, lane);
    if (lane == 0) statistics[r] = row;
  }
}

/// Sets partial[b, 0, c] and partial[b, 1, c]: the sums for gamma and for beta over the pixels of
/// run b.
template <class Rows>
__global__ void __launch_bounds__(kSumThreads)
    sums_kernel(double* __restrict__ partial, const RowOfSums* __restrict__ statistics,
                SumOperands in, Rows rows, int64_t pixels_per_run) {
  // This thread owns channel c of every eighth pixel of its block's run.
  const int t = static_cast<int>(threadIdx.x);
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kWarp + t % kWarp;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * pixels_per_run;
  const int64_t end = min(first + pixels_per_run, in.pixels);
  double gamma = 0, beta = 0;
  if (c < in.C)
    for (int64_t r = first + t / kWarp; r < end; r += kRowsAtOnce) {
      const int64_t i = r * in.C + c;
      const RowOfSums row = statistics[rows.row_of(r, c)];
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
  __shared__ double sums[2][kSumThreads];
  sums[0][t] = gamma;
  sums[1][t] = beta;
  __syncthreads();  // all sums are there before they are added
  // The first warp goes on; no barrier follows.
  if (t >= kWarp || c >= in.C) return;
  for (int i = t + kWarp; i < kSumThreads; i += kWarp) {
    gamma += sums[0][i];
    beta += sums[1][i];
  }
  double* run = partial + static_cast<int64_t>(blockIdx.x) * 2 * in.C;
  run[c] = gamma;
  run[in.C + c] = beta;
}

/// Sets gamma[c] = (accumulate ? gamma[c] : 0) + sum of partial[b, 0, c] over b, and beta in the
/// same way.
__global__ void __launch_bounds__(kSumThreads)
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

/// Queues the three kernels.
template <class Rows>
void sum_over_rows(const Tensor& gamma, const Tensor& beta, const SumOperands& in, const Rows& rows,
                   double epsilon, Write write, Context& context) {
  const int64_t pixels_per_run = std::max(ceil_div(in.pixels, kMaxRuns), kPixelsPerRun);
  const int64_t runs = ceil_div(in.pixels, pixels_per_run);
  const int64_t statistics_bytes = rows.count * static_cast<int64_t>(sizeof(RowOfSums));
  const int64_t partial_bytes = runs * 2 * in.C * static_cast<int64_t>(sizeof(double));
  auto* const memory = static_cast<char*>(context.workspace(statistics_bytes + partial_bytes));
  auto* const statistics = reinterpret_cast<RowOfSums*>(memory);
  double* const partial = reinterpret_cast<double*>(memory + statistics_bytes);
  if (in.pixels > 0) {
    launch(statistics_kernel<Rows>, grid_for(rows.count * kWarp, kSumThreads), dim3(kSumThreads), 0,
           context, statistics, in, rows, epsilon);
    const dim3 grid(static_cast<unsigned>(runs), static_cast<unsigned>(ceil_div(in.C, kWarp)));
    launch(sums_kernel<Rows>, grid, dim3(kSumThreads), 0, context, partial, statistics, in, rows,
           pixels_per_run);
  }
  launch(totals_kernel, grid_for(in.C, kSumThreads), dim3(kSumThreads), 0, context,
         pointer<float>(gamma), pointer<float>(beta), partial, runs, in.C,
         write == Write::accumulate);
}

}  // namespace

}  // namespace topograd::TOPOGRAD_BACKEND
