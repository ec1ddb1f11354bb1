// y = gamma xhat + beta, and dx = i (g - mean of g - xhat (mean of g xhat)) with g = gamma dy,
// where xhat = (x - mean) i standardises a row of C channels.
//
// A warp owns row r, then r + warps of the grid, ...; its lane l owns channels l, l + 32, ..., so
// that a warp reads 128 consecutive bytes. Every sum over a row is five exchanges between lanes;
// there is no shared memory and no barrier. Sums are in double: a large mean costs no digits.
//
// Traffic, from memory: forward 8 bytes per element, backward 12 (16 where it adds); the passes
// over a row after the first find it in the L1 cache. Work per element: forward 7 FLOP in double,
// backward 15. Memory bounds it where a multiprocessor has 64 double units; one with 2 is bounded
// by them. Rows shorter than 32 channels leave lanes idle: half of them at C = 16.
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/row_statistics.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Forward kernel; y may be x. Null parameters: gamma 1, beta 0.
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* y, const float* x, const float* __restrict__ gamma,
                   const float* __restrict__ beta, int64_t rows, int64_t C, double epsilon) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < rows; r += element_step() / kWarp) {
    const RowStatistics row = row_statistics(x + r * C, C, epsilon, lane);
    for (int64_t c = lane; c < C; c += kWarp)
      y[r * C + c] = static_cast<float>(element_or(gamma, c, 1.0f) * row.xhat(x[r * C + c]) +
                                        element_or(beta, c, 0.0f));
  }
}

/// Backward kernel; dx may be dy: a lane writes only the channels it owns, after the row's sums are
/// complete.
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* dx, const float* dy, const float* __restrict__ x,
                    const float* __restrict__ gamma, int64_t rows, int64_t C, double epsilon,
                    bool accumulate) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const double per_channel = 1 / static_cast<double>(C);
  for (int64_t r = first_element() / kWarp; r < rows; r += element_step() / kWarp) {
    const int64_t begin = r * C;
    const RowStatistics row = row_statistics(x + begin, C, epsilon, lane);
    double sum = 0, products = 0;
    for (int64_t c = lane; c < C; c += kWarp) {
      const double g = static_cast<double>(element_or(gamma, c, 1.0f)) * dy[begin + c];
      sum += g;
      products += g * row.xhat(x[begin + c]);
    }
    const double m = sum_over_warp(sum) * per_channel;
    const double q = sum_over_warp(products) * per_channel;
    for (int64_t c = lane; c < C; c += kWarp) {
      const double g = static_cast<double>(element_or(gamma, c, 1.0f)) * dy[begin + c];
      const double value = row.inverse * (g - m - row.xhat(x[begin + c]) * q);
      dx[begin + c] = static_cast<float>(accumulate ? dx[begin + c] + value : value);
    }
  }
}

void forward(const LayerNormArgs& args, Context& context) {
  const int64_t C = args.x.dim(args.x.shape().rank() - 1), rows = args.x.size() / C;
  launch(forward_kernel, grid_for(rows * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), pointer<float>(args.gamma),
         pointer<float>(args.beta), rows, C, args.epsilon);
}

void backward(const LayerNormBackwardArgs& args, Context& context) {
  const int64_t C = args.x.dim(args.x.shape().rank() - 1), rows = args.x.size() / C;
  launch(backward_kernel, grid_for(rows * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx), pointer<float>(args.dy), pointer<float>(args.x),
         pointer<float>(args.gamma), rows, C, args.epsilon, args.write == Write::accumulate);
}

}  // namespace

void register_layer_norm_1_warp(OpRegistry& registry) {
  registry.add<LayerNormArgs>(
      {"warp", kDevice, [](const LayerNormArgs& args) { return all_f32(args.x); }, forward});
  registry.add<LayerNormBackwardArgs>(
      {"warp", kDevice, [](const LayerNormBackwardArgs& args) { return all_f32(args.x); },
       backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
