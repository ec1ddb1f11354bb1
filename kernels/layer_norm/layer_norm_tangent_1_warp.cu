// y' and dx' of layer_norm_tangent.h: how a normalised row and its gradient move along a direction.
//
// As in layer_norm_1_warp.cu, a warp owns row r, then r + warps of the grid, ...; lane l owns
// channels l, l + 32, ..., and every sum over a row is five exchanges between lanes. What is new:
// the row's statistics have tangents (RowTangent), of which y' needs two sums and dx' four more.
//
// Traffic: y' 12 bytes per element, dx' 20 (24 where it adds); the passes over a row after the
// first find it in the L1 cache. Work per element: y' 17 FLOP in double, dx' 49. Memory bounds it
// where a multiprocessor has 64 double units.
#include "kernels/layer_norm/layer_norm_tangent.h"
#include "kernels/layer_norm/row_statistics.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel of y'; y_tangent may be x_tangent. Null parameters: gamma 1, all others 0.
__global__ void __launch_bounds__(kThreads)
    tangent_kernel(float* y_tangent, const float* x_tangent, const float* __restrict__ x,
                   const float* __restrict__ gamma, const float* __restrict__ gamma_tangent,
                   const float* __restrict__ beta_tangent, int64_t rows, int64_t C,
                   double epsilon) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_element() / kWarp; r < rows; r += element_step() / kWarp) {
    const int64_t begin = r * C;
    const RowStatistics row = row_statistics(x + begin, C, epsilon, lane);
    const RowTangent moved = row_tangent(row, x_tangent + begin, x + begin, C, lane);
    for (int64_t c = lane; c < C; c += kWarp) {
      const double xhat = row.xhat(x[begin + c]);
      const double xhat_tangent = moved.xhat_tangent(row, x_tangent[begin + c], xhat);
      y_tangent[begin + c] = static_cast<float>(element_or(gamma, c, 1.0f) * xhat_tangent +
                                                element_or(gamma_tangent, c, 0.0f) * xhat +
                                                element_or(beta_tangent, c, 0.0f));
    }
  }
}

/// Operands of dx', [rows, C] but gamma and gamma_tangent [C].
struct Gradients {
  const float *dy_tangent, *dy, *x_tangent, *x, *gamma, *gamma_tangent;
  __device__ double g(int64_t i, int64_t c) const {
    return static_cast<double>(element_or(gamma, c, 1.0f)) * dy[i];
  }
  __device__ double g_tangent(int64_t i, int64_t c) const {
    return static_cast<double>(element_or(gamma_tangent, c, 0.0f)) * dy[i] +
           static_cast<double>(element_or(gamma, c, 1.0f)) * dy_tangent[i];
  }
};

/// Kernel of dx'; dx_tangent may be in.dy_tangent: a lane writes only the channels it owns, after
/// the row's sums are complete.
__global__ void __launch_bounds__(kThreads)
    tangent_backward_kernel(float* dx_tangent, Gradients in, int64_t rows, int64_t C,
                            double epsilon, bool accumulate) {
  // This thread's warp owns rows r, r + warps of the grid, ...
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const double per_channel = 1 / static_cast<double>(C);
  for (int64_t r = first_element() / kWarp; r < rows; r += element_step() / kWarp) {
    const int64_t begin = r * C;
    const RowStatistics row = row_statistics(in.x + begin, C, epsilon, lane);
    const RowTangent moved = row_tangent(row, in.x_tangent + begin, in.x + begin, C, lane);
    double m = 0, q = 0, m_tangent = 0, q_tangent = 0;
    for (int64_t c = lane; c < C; c += kWarp) {
      const int64_t i = begin + c;
      const double g = in.g(i, c), g_tangent = in.g_tangent(i, c), xhat = row.xhat(in.x[i]);
      m += g;
      q += g * xhat;
      m_tangent += g_tangent;
      q_tangent += g_tangent * xhat + g * moved.xhat_tangent(row, in.x_tangent[i], xhat);
    }
    m = sum_over_warp(m) * per_channel;
    q = sum_over_warp(q) * per_channel;
    m_tangent = sum_over_warp(m_tangent) * per_channel;
    q_tangent = sum_over_warp(q_tangent) * per_channel;
    for (int64_t c = lane; c < C; c += kWarp) {
      const int64_t i = begin + c;
      const double xhat = row.xhat(in.x[i]);
      const double dx = row.inverse * (in.g(i, c) - m - xhat * q);
      const double xhat_tangent = moved.xhat_tangent(row, in.x_tangent[i], xhat);
      const double sum =
          in.g_tangent(i, c) - m_tangent - xhat_tangent * q - xhat * q_tangent - moved.b * dx;
      const double value = row.inverse * sum;
      dx_tangent[i] = static_cast<float>(accumulate ? dx_tangent[i] + value : value);
    }
  }
}

void tangent(const LayerNormTangentArgs& args, Context& context) {
  const int64_t C = args.x.dim(args.x.shape().rank() - 1), rows = args.x.size() / C;
  launch(tangent_kernel, grid_for(rows * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y_tangent), pointer<float>(args.x_tangent), pointer<float>(args.x),
         pointer<float>(args.gamma), pointer<float>(args.gamma_tangent),
         pointer<float>(args.beta_tangent), rows, C, args.epsilon);
}

void tangent_backward(const LayerNormTangentBackwardArgs& args, Context& context) {
  const int64_t C = args.x.dim(args.x.shape().rank() - 1), rows = args.x.size() / C;
  const Gradients in{pointer<float>(args.dy_tangent), pointer<float>(args.dy),
                     pointer<float>(args.x_tangent),  pointer<float>(args.x),
                     pointer<float>(args.gamma),      pointer<float>(args.gamma_tangent)};
  launch(tangent_backward_kernel, grid_for(rows * kWarp, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx_tangent), in, rows, C, args.epsilon,
         args.write == Write::accumulate);
}

}  // namespace

void register_layer_norm_tangent_1_warp(OpRegistry& registry) {
  registry.add<LayerNormTangentArgs>(
      {"warp", kDevice, [](const LayerNormTangentArgs& args) { return all_f32(args.x); }, tangent});
  registry.add<LayerNormTangentBackwardArgs>(
      {"warp", kDevice, [](const LayerNormTangentBackwardArgs& args) { return all_f32(args.x); },
       tangent_backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
