// The layers under the R-operator: B. Pearlmutter, "Fast Exact Multiplication by the Hessian",
// Neural Computation 1994. Each formula is the derivative, along a direction of theta, of the one
// in layers.cpp.
#include "kernels/add/add.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/gemm/gemm.h"
#include "nn/layers.h"

namespace topograd {

namespace {

/// [n, anything] as a matrix.
Tensor as_matrix(const Tensor& t) {
  const int64_t n = t.dim(0);
  return t.reshaped({n, n == 0 ? 0 : t.size() / n});
}

/// The same call with the gradients' tangents instead of the gradients.
BackwardCall of_tangents(BackwardCall call, const BackwardTangents& tangents) {
  call.dx = tangents.dx;
  call.dy = tangents.dy;
  call.dparameters = tangents.dparameters;
  return call;
}

}  // namespace

void Layer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                            Context& context) const {
  forward(call, context);
  ForwardCall of_tangents = call;
  of_tangents.y = tangents.y;
  of_tangents.x = tangents.x;
  forward(of_tangents, context);
}

void Layer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                             Context& context) const {
  backward(of_tangents(call, tangents), context);
  backward(call, context);
}

/// y' = conv(x, w') + bias' + conv(x', w).
void Conv2dLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                  Context& context) const {
  forward(call, context);
  ForwardCall of_weights = call;
  of_weights.y = tangents.y;
  of_weights.parameters = tangents.parameters;
  of_weights.weights_version = tangents.version;
  forward(of_weights, context);
  if (!tangents.x[0].defined()) return;
  conv2d_forward({.y = tangents.temporary,
                  .x = tangents.x[0],
                  .w = call.parameters[0],
                  .bias = {},
                  .geometry = geometry_,
                  .weights_version = call.weights_version,
                  .error_budget = call.error_budget,
                  .precision = call.precision},
                 context);
  add({.y = tangents.y, .a = tangents.y, .b = tangents.temporary}, context);
}

/// dw' = dy' * x + dy * x',   dx' = dy' * w + dy * w'.
void Conv2dLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                   Context& context) const {
  backward(of_tangents(call, tangents), context);
  if (tangents.x[0].defined())
    conv2d_backward_filter({.dw = tangents.dparameters[0],
                            .dy = call.dy,
                            .x = tangents.x[0],
                            .geometry = geometry_,
                            .write = Write::accumulate,
                            .precision = call.precision},
                           context);
  if (call.dx[0].defined())
    conv2d_backward_data({.dx = tangents.dx[0],
                          .dy = call.dy,
                          .w = tangents.parameters[0],
                          .geometry = geometry_,
                          .write = Write::accumulate,
                          .weights_version = tangents.version,
                          .error_budget = call.error_budget,
                          .precision = call.precision},
                         context);
  backward(call, context);
}

namespace {

BatchnormTangentState tangent_state(std::span<const Tensor> running_stats,
                                    std::span<const Tensor> batch_sums, int64_t count) {
  BatchnormTangentState state{.mean = running_stats[0], .variance = running_stats[1]};
  state.epsilon = BatchnormLayer::kEpsilon;
  if (batch_sums.empty()) return state;
  state.sum_products = batch_sums[0];
  state.sum_tangents = batch_sums[1];
  state.count = count;
  return state;
}

}  // namespace

void BatchnormLayer::tangent_sums(std::span<const Tensor> shares, const Tensor& x_tangent,
                                  const Tensor& x, std::span<const Tensor> running_stats,
                                  Context& context) const {
  batchnorm_backward_sums({.dgamma = shares[0],
                           .dbeta = shares[1],
                           .dy = x_tangent,
                           .x = x,
                           .mean = running_stats[0],
                           .variance = running_stats[1],
                           .epsilon = kEpsilon},
                          context);
}

void BatchnormLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  batchnorm_tangent(
      {.y_tangent = tangents.y,
       .x_tangent = tangents.x[0],
       .x = call.x[0],
       .gamma = call.parameters[0],
       .gamma_tangent = tangents.parameters[0],
       .beta_tangent = tangents.parameters[1],
       .state = tangent_state(call.running_stats, tangents.batch_sums, tangents.batch_count)},
      context);
  if (call.then_relu)
    activation_backward({.dx = tangents.y, .dy = tangents.y, .y = call.y, .x = {}}, context);
}

void BatchnormLayer::backward_tangent_sums(const BackwardCall& call,
                                           const BackwardTangents& tangents,
                                           Context& context) const {
  batchnorm_tangent_sums(
      {.dgamma_tangent = tangents.dparameters[0],
       .dbeta_tangent = tangents.dparameters[1],
       .dy_tangent = tangents.dy,
       .dy = call.dy,
       .x_tangent = tangents.x[0],
       .x = call.x[0],
       .state = tangent_state(call.running_stats, tangents.batch_sums, call.batch_count)},
      context);
}

void BatchnormLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  const bool batch = !call.batch_dparameters.empty();
  if (!batch) backward_tangent_sums(call, tangents, context);
  if (call.dx[0].defined()) {
    BatchnormTangentBackwardArgs args{
        .dx_tangent = tangents.dx[0],
        .dy_tangent = tangents.dy,
        .dy = call.dy,
        .x_tangent = tangents.x[0],
        .x = call.x[0],
        .gamma = call.parameters[0],
        .gamma_tangent = tangents.parameters[0],
        .state = tangent_state(call.running_stats, tangents.batch_sums, call.batch_count),
        .write = call.write[0]};
    if (batch) {
      args.dgamma = call.batch_dparameters[0];
      args.dbeta = call.batch_dparameters[1];
      args.dgamma_tangent = tangents.batch_dparameters[0];
      args.dbeta_tangent = tangents.batch_dparameters[1];
    }
    batchnorm_tangent_backward(args, context);
  }
  backward(call, context);
}

/// y' = f'(x) x', which is backward()'s formula.
void ActivationLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                      Context& context) const {
  forward(call, context);
  activation_backward({.dx = tangents.y,
                       .dy = tangents.x[0],
                       .y = call.y,
                       .x = call.x[0],
                       .activation = activation_},
                      context);
}

/// dx' = f'(x) dy' + f''(x) x' dy.
void ActivationLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                       Context& context) const {
  if (!call.dx[0].defined()) return;
  const bool from_input = backward_reads_input();
  activation_backward({.dx = tangents.dx[0],
                       .dy = tangents.dy,
                       .y = call.y,
                       .x = call.x[0],
                       .activation = activation_,
                       .write = call.write[0]},
                      context);
  if (activation_ != Activation::relu)
    activation_curvature({.dx_tangent = tangents.dx[0],
                          .dy = call.dy,
                          .saved = from_input ? call.x[0] : call.y,
                          .saved_tangent = from_input ? tangents.x[0] : tangents.y,
                          .activation = activation_},
                         context);
  backward(call, context);
}

void PoolLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                Context& context) const {
  if (kind_ == PoolKind::average) return Layer::forward_tangent(call, tangents, context);
  forward(call, context);
  max_pool_tangent({.y_tangent = tangents.y,
                    .x_tangent = tangents.x[0],
                    .x = call.x[0],
                    .y = call.y,
                    .geometry = geometry_},
                   context);
}

/// y' = x w'^T + bias' + x' w^T.
void LinearLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                  Context& context) const {
  forward(call, context);
  ForwardCall of_weights = call;
  of_weights.y = tangents.y;
  of_weights.parameters = tangents.parameters;
  forward(of_weights, context);
  if (!tangents.x[0].defined()) return;
  gemm({.c = tangents.y,
        .a = as_matrix(tangents.x[0]),
        .b = as_matrix(call.parameters[0]),
        .transpose_b = true,
        .write = Write::accumulate,
        .precision = call.precision},
       context);
}

/// dw' = dy'^T x + dy^T x',   dx' = dy' w + dy w'.
void LinearLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                   Context& context) const {
  backward(of_tangents(call, tangents), context);
  if (tangents.x[0].defined())
    gemm({.c = as_matrix(tangents.dparameters[0]),
          .a = call.dy,
          .b = as_matrix(tangents.x[0]),
          .transpose_a = true,
          .write = Write::accumulate,
          .precision = call.precision},
         context);
  if (call.dx[0].defined())
    gemm({.c = as_matrix(tangents.dx[0]),
          .a = call.dy,
          .b = as_matrix(tangents.parameters[0]),
          .write = Write::accumulate,
          .precision = call.precision},
         context);
  backward(call, context);
}

}  // namespace topograd
