// The tangents of BatchNorm, y' and dx', each in one pass (batchnorm_tangent.h). The formulas are
// gathered by the arrays they read, with i = 1 / sqrt(variance + epsilon), s = gamma i,
// t = (gamma' - s b) i and xhat' = i (x' - a) - i^2 b (x - mean):
//   y'  = s (x' - a) + t (x - mean) + beta'
//   dx' = s dy' + t dy + p (x' - a) + q (x - mean) + r,
//         p = -s i dgamma / n,   q = -(s dgamma' + (t - s i b) dgamma) i / n,
//         r = -(s dbeta' + t dbeta) / n
// with a = b = p = q = r = 0 where the statistics are constants.
//
// A thread owns one channel of every row_step-th row (channel_grid.h), so neighbouring threads
// touch neighbouring floats; it forms its channel's constants once, in double.
// Traffic: 12 bytes per element for y', 20 for dx' (12 with constant statistics), 4 more where it
// adds. Work: 6 and 9 FLOP. Memory bounds both.
#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/batchnorm/channel_grid.h"
#include "kernels/batchnorm/tangent_state.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// Constants i, a, b, s and t of channel c.
struct Constants {
  double i, a, b, s, t;
};
__device__ inline Constants constants_of(const TangentState& state, float gamma,
                                         float gamma_tangent, int c) {
  const double i = state.inverse(c), b = state.b(c);
  return {i, state.a(c), b, gamma * i, (gamma_tangent - gamma * i * b) * i};
}

/// Kernel of y'; y_tangent may be x_tangent. Null parameters: gamma 1, all others 0.
__global__ void __launch_bounds__(kChannelThreads)
    tangent_kernel(float* y_tangent, const float* x_tangent, const float* __restrict__ x,
                   const float* __restrict__ gamma, const float* __restrict__ gamma_tangent,
                   const float* __restrict__ beta_tangent, TangentState state, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const int c = thread.channel;
  const Constants k =
      constants_of(state, element_or(gamma, c, 1.0f), element_or(gamma_tangent, c, 0.0f), c);
  const float a = static_cast<float>(k.a), s = static_cast<float>(k.s);
  const float t = static_cast<float>(k.t), mean = state.mean[c],
              shift = element_or(beta_tangent, c, 0.0f);
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const int64_t at = r * g.C + c;
    y_tangent[at] = (x_tangent[at] - a) * s + (x[at] - mean) * t + shift;
  }
}

/// Sums of the backward pass over the batch; null for constant statistics.
struct BatchSums {
  const float *dgamma, *dbeta, *dgamma_tangent, *dbeta_tangent;
};

/// Kernel of dx'. x_tangent and x are not read for constant statistics. dx_tangent may be
/// dy_tangent.
__global__ void __launch_bounds__(kChannelThreads)
    backward_kernel(float* dx_tangent, const float* dy_tangent, const float* __restrict__ dy,
                    const float* __restrict__ x_tangent, const float* __restrict__ x,
                    const float* __restrict__ gamma, const float* __restrict__ gamma_tangent,
                    BatchSums sums, TangentState state, bool accumulate, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const int c = thread.channel;
  const Constants k =
      constants_of(state, element_or(gamma, c, 1.0f), element_or(gamma_tangent, c, 0.0f), c);
  const float s = static_cast<float>(k.s), t = static_cast<float>(k.t);
  float a = 0, mean = 0, p = 0, q = 0, shift = 0;
  if (sums.dgamma) {
    const double n = state.per_element, dgamma = sums.dgamma[c];
    a = static_cast<float>(k.a);
    mean = state.mean[c];
    p = static_cast<float>(-k.s * k.i * dgamma * n);
    q = static_cast<float>(-k.i * n *
                           (k.s * sums.dgamma_tangent[c] + (k.t - k.s * k.i * k.b) * dgamma));
    shift = static_cast<float>(-n * (k.s * sums.dbeta_tangent[c] + k.t * sums.dbeta[c]));
  }
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const int64_t at = r * g.C + c;
    float sum = dy_tangent[at] * s + dy[at] * t;
    if (sums.dgamma) sum += (x_tangent[at] - a) * p + (x[at] - mean) * q + shift;
    dx_tangent[at] = accumulate ? dx_tangent[at] + sum : sum;
  }
}

void tangent(const BatchnormTangentArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.x.size(), args.state.variance.size());
  launch(tangent_kernel, g.grid(), dim3(kChannelThreads), 0, context,
         pointer<float>(args.y_tangent), pointer<float>(args.x_tangent), pointer<float>(args.x),
         pointer<float>(args.gamma), pointer<float>(args.gamma_tangent),
         pointer<float>(args.beta_tangent), TangentState(args.state), g);
}

void backward(const BatchnormTangentBackwardArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.dy.size(), args.state.variance.size());
  BatchSums sums{};
  if (args.state.is_batch())
    sums = {pointer<float>(args.dgamma), pointer<float>(args.dbeta),
            pointer<float>(args.dgamma_tangent), pointer<float>(args.dbeta_tangent)};
  const bool batch = args.state.is_batch();
  launch(backward_kernel, g.grid(), dim3(kChannelThreads), 0, context,
         pointer<float>(args.dx_tangent), pointer<float>(args.dy_tangent), pointer<float>(args.dy),
         batch ? pointer<float>(args.x_tangent) : nullptr, batch ? pointer<float>(args.x) : nullptr,
         pointer<float>(args.gamma), pointer<float>(args.gamma_tangent), sums,
         TangentState(args.state), args.write == Write::accumulate, g);
}

}  // namespace

void register_batchnorm_tangent_1_stream(OpRegistry& registry) {
  registry.add<BatchnormTangentArgs>(
      {"stream", kDevice, [](const BatchnormTangentArgs& args) { return all_f32(args.x); },
       tangent});
  registry.add<BatchnormTangentBackwardArgs>(
      {"stream", kDevice, [](const BatchnormTangentBackwardArgs& args) { return all_f32(args.dy); },
       backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
