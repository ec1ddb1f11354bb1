#include "nn/layers.h"

#include "kernels/add/add.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/concat/concat.h"
#include "kernels/gemm/gemm.h"
#include "kernels/shortcut_a/shortcut_a.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// target = source, or target += source; they may be the same memory.
void write_gradient(const Tensor& target, const Tensor& source, Write write, Context& context) {
  if (!target.defined()) return;
  if (write == Write::accumulate)
    add({.y = target, .a = target, .b = source}, context);
  else if (target.raw() != source.raw())
    copy({.y = target, .x = source}, context);
}

/// [n, anything] as a matrix.
Tensor as_matrix(const Tensor& t) {
  const int64_t n = t.dim(0);
  return t.reshaped({n, n == 0 ? 0 : t.size() / n});
}

}  // namespace

void Conv2dLayer::forward(const ForwardCall& call, Context& context) const {
  conv2d_forward({.y = call.y,
                  .x = call.x[0],
                  .w = call.parameters[0],
                  .bias = bias_ ? call.parameters[1] : Tensor(),
                  .geometry = geometry_,
                  .weights_version = call.weights_version,
                  .error_budget = call.error_budget,
                  .precision = call.precision},
                 context);
}

void Conv2dLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty()) {
    conv2d_backward_filter({.dw = call.dparameters[0],
                            .dy = call.dy,
                            .x = call.x[0],
                            .geometry = geometry_,
                            .write = call.write_parameters,
                            .precision = call.precision},
                           context);
    if (bias_)
      bias_gradient({.db = call.dparameters[1], .dy = call.dy, .write = call.write_parameters},
                    context);
  }
  if (call.dx[0].defined())
    conv2d_backward_data({.dx = call.dx[0],
                          .dy = call.dy,
                          .w = call.parameters[0],
                          .geometry = geometry_,
                          .write = call.write[0],
                          .weights_version = call.weights_version,
                          .error_budget = call.error_budget,
                          .precision = call.precision},
                         context);
}

void BatchnormLayer::forward(const ForwardCall& call, Context& context) const {
  batchnorm_normalise({.y = call.y,
                       .x = call.x[0],
                       .gamma = call.parameters[0],
                       .beta = call.parameters[1],
                       .mean = call.running_stats[0],
                       .variance = call.running_stats[1],
                       .epsilon = kEpsilon,
                       .relu = call.then_relu},
                      context);
}

void BatchnormLayer::chunk_moments(const Tensor& moments, const Tensor& x, Context& context) const {
  batchnorm_moments({.moments = moments, .x = x}, context);
}

void BatchnormLayer::combine(std::span<const Tensor> batch_stats,
                             std::span<const Tensor> running_stats, const Tensor& moments,
                             int64_t count, int64_t count_per_chunk, Context& context) const {
  batchnorm_combine({.mean = batch_stats[0],
                     .variance = batch_stats[1],
                     .running_mean = running_stats.empty() ? Tensor() : running_stats[0],
                     .running_variance = running_stats.empty() ? Tensor() : running_stats[1],
                     .moments = moments,
                     .count = count,
                     .count_per_chunk = count_per_chunk,
                     .momentum = kMomentum},
                    context);
}

void BatchnormLayer::backward_sums(const BackwardCall& call, Context& context) const {
  batchnorm_backward_sums({.dgamma = call.dparameters[0],
                           .dbeta = call.dparameters[1],
                           .dy = call.dy,
                           .x = call.x[0],
                           .mean = call.running_stats[0],
                           .variance = call.running_stats[1],
                           .epsilon = kEpsilon},
                          context);
}

void BatchnormLayer::backward(const BackwardCall& call, Context& context) const {
  const bool batch = !call.batch_dparameters.empty();
  if (!batch && !call.dparameters.empty()) backward_sums(call, context);
  if (!call.dx[0].defined()) return;
  batchnorm_backward({.dx = call.dx[0],
                      .dy = call.dy,
                      .x = call.x[0],
                      .gamma = call.parameters[0],
                      .mean = call.running_stats[0],
                      .variance = call.running_stats[1],
                      .dgamma = batch ? call.batch_dparameters[0] : Tensor(),
                      .dbeta = batch ? call.batch_dparameters[1] : Tensor(),
                      .count = call.batch_count,
                      .epsilon = kEpsilon,
                      .write = call.write[0]},
                     context);
}

void ActivationLayer::forward(const ForwardCall& call, Context& context) const {
  activation_forward({.y = call.y, .x = call.x[0], .activation = activation_}, context);
}

void ActivationLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  activation_backward({.dx = call.dx[0],
                       .dy = call.dy,
                       .y = call.y,
                       .x = call.x[0],
                       .activation = activation_,
                       .write = call.write[0]},
                      context);
}

void AddLayer::forward(const ForwardCall& call, Context& context) const {
  add({.y = call.y, .a = call.x[0], .b = call.x[1]}, context);
}

void AddLayer::backward(const BackwardCall& call, Context& context) const {
  write_gradient(call.dx[0], call.dy, call.write[0], context);
  write_gradient(call.dx[1], call.dy, call.write[1], context);
}

void ConcatLayer::forward(const ForwardCall& call, Context& context) const {
  concat({.y = call.y, .part = call.x[0], .first = 0}, context);
  concat({.y = call.y, .part = call.x[1], .first = call.x[0].dim(3)}, context);
}
void ConcatLayer::backward(const BackwardCall& call, Context& context) const {
  const int64_t channels = call.dy.dim(3);
  for (size_t i = 0; i < 2; ++i)
    if (const Tensor& dx = call.dx[i]; dx.defined())
      concat_backward({.dpart = dx,
                       .dy = call.dy,
                       .first = i == 0 ? 0 : channels - dx.dim(3),
                       .write = call.write[i]},
                      context);
}

void ShortcutALayer::forward(const ForwardCall& call, Context& context) const {
  shortcut_a_forward({.y = call.y, .x = call.x[0], .stride = stride_}, context);
}

void ShortcutALayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  shortcut_a_backward({.dx = call.dx[0], .dy = call.dy, .stride = stride_, .write = call.write[0]},
                      context);
}

void PoolLayer::forward(const ForwardCall& call, Context& context) const {
  pool_forward({.y = call.y, .x = call.x[0], .kind = kind_, .geometry = geometry_}, context);
}

void PoolLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  pool_backward({.dx = call.dx[0],
                 .dy = call.dy,
                 .x = call.x[0],
                 .y = call.y,
                 .kind = kind_,
                 .geometry = geometry_,
                 .write = call.write[0]},
                context);
}

void GlobalAveragePoolLayer::forward(const ForwardCall& call, Context& context) const {
  global_average_pool_forward({.y = call.y, .x = call.x[0]}, context);
}

void GlobalAveragePoolLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dx[0].defined()) return;
  global_average_pool_backward({.dx = call.dx[0], .dy = call.dy, .write = call.write[0]}, context);
}

void LinearLayer::forward(const ForwardCall& call, Context& context) const {
  gemm({.c = call.y,
        .a = as_matrix(call.x[0]),
        .b = as_matrix(call.parameters[0]),
        .transpose_b = true,
        .precision = call.precision},
       context);
  add_bias({.y = call.y, .bias = call.parameters[1]}, context);
}

void LinearLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty()) {
    gemm({.c = as_matrix(call.dparameters[0]),
          .a = call.dy,
          .b = as_matrix(call.x[0]),
          .transpose_a = true,
          .write = call.write_parameters,
          .precision = call.precision},
         context);
    bias_gradient({.db = call.dparameters[1], .dy = call.dy, .write = call.write_parameters},
                  context);
  }
  if (call.dx[0].defined())
    gemm({.c = as_matrix(call.dx[0]),
          .a = call.dy,
          .b = as_matrix(call.parameters[0]),
          .write = call.write[0],
          .precision = call.precision},
         context);
}

}  // namespace topograd
