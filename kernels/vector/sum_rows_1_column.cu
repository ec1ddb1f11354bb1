// y[i] = (y[i] +) x[0][i] + x[1][i] + ..., the rows taken in order, in double, rounded once.
//
// Thread i owns columns i, i + step, ... and goes down them; neighbouring threads own neighbouring
// columns, so a warp reads 128 consecutive bytes of each row.
// Traffic: 4 bytes per element of x and 4 (8 where it accumulates) per column. Work: an addition in
// double per element of x. Memory bounds it where there are columns enough to fill the GPU, some
// 100,000: the order of the sum, which all implementations share, leaves one chain of additions
// per column, and none of it can be given to another thread.
#include "kernels/core/launch.h"
#include "kernels/vector/vector.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    sum_rows_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t rows, int64_t n,
                    bool accumulate) {
  // This thread owns columns first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) {
    double sum = accumulate ? y[i] : 0.0;
#pragma unroll 8  // eight loads under way before the first is added
    for (int64_t row = 0; row < rows; ++row) sum += x[row * n + i];
    y[i] = static_cast<float>(sum);
  }
}

void run(const SumRowsArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(sum_rows_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), args.x.dim(0), n, args.write == Write::accumulate);
}

}  // namespace

void register_sum_rows_1_column(OpRegistry& registry) {
  registry.add<SumRowsArgs>(
      {"column", kDevice, [](const SumRowsArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
