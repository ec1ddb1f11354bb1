// batchnorm: every channel standardised by a mean and a variance over images (kernels/batchnorm/).
#include "nn/layers/batchnorm.h"

#include "kernels/activation/activation.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/batchnorm_tangent.h"
#include "nn/graph.h"

namespace topograd {

Attributes BatchnormLayer::attributes() const {
  const BatchnormOptions defaults;
  Attributes attributes;
  if (epsilon_ != defaults.epsilon) attributes.emplace_back("epsilon", epsilon_);
  if (momentum_ != defaults.momentum) attributes.emplace_back("momentum", momentum_);
  if (affine_ != defaults.affine) attributes.emplace_back("affine", affine_);
  return attributes;
}

void BatchnormLayer::forward(const ForwardCall& call, Context& context) const {
  batchnorm_normalise({.y = call.y,
                       .x = call.x[0],
                       .gamma = scale_or_shift(call.parameters, 0),
                       .beta = scale_or_shift(call.parameters, 1),
                       .mean = call.running_stats[0],
                       .variance = call.running_stats[1],
                       .epsilon = epsilon_,
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
                     .momentum = momentum_},
                    context);
}

void BatchnormLayer::backward_sums(const BackwardCall& call, Context& context) const {
  batchnorm_backward_sums({.dgamma = call.dparameters[0],
                           .dbeta = call.dparameters[1],
                           .dy = call.dy,
                           .x = call.x[0],
                           .mean = call.running_stats[0],
                           .variance = call.running_stats[1],
                           .epsilon = epsilon_},
                          context);
}

void BatchnormLayer::backward(const BackwardCall& call, Context& context) const {
  const bool batch = !call.batch_dparameters.empty();
  if (!batch && !call.dparameters.empty()) backward_sums(call, context);
  if (!call.dx[0].defined()) return;
  batchnorm_backward({.dx = call.dx[0],
                      .dy = call.dy,
                      .x = call.x[0],
                      .gamma = scale_or_shift(call.parameters, 0),
                      .mean = call.running_stats[0],
                      .variance = call.running_stats[1],
                      .dgamma = batch ? call.batch_dparameters[0] : Tensor(),
                      .dbeta = batch ? call.batch_dparameters[1] : Tensor(),
                      .count = call.batch_count,
                      .epsilon = epsilon_,
                      .write = call.write[0]},
                     context);
}

namespace {

BatchnormTangentState tangent_state(std::span<const Tensor> running_stats,
                                    std::span<const Tensor> batch_sums, int64_t count,
                                    double epsilon) {
  BatchnormTangentState state{.mean = running_stats[0], .variance = running_stats[1]};
  state.epsilon = epsilon;
  if (batch_sums.empty()) return state;
  state.sum_products = batch_sums[0];
  state.sum_tangents = batch_sums[1];
  state.count = count;
  return state;
}

}  // namespace

void BatchnormLayer::tangent_sums(std::span<const Tensor> partials, const Tensor& x_tangent,
                                  const Tensor& x, std::span<const Tensor> running_stats,
                                  Context& context) const {
  batchnorm_backward_sums({.dgamma = partials[0],
                           .dbeta = partials[1],
                           .dy = x_tangent,
                           .x = x,
                           .mean = running_stats[0],
                           .variance = running_stats[1],
                           .epsilon = epsilon_},
                          context);
}

void BatchnormLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  batchnorm_tangent({.y_tangent = tangents.y,
                     .x_tangent = tangents.x[0],
                     .x = call.x[0],
                     .gamma = scale_or_shift(call.parameters, 0),
                     .gamma_tangent = scale_or_shift(tangents.parameters, 0),
                     .beta_tangent = scale_or_shift(tangents.parameters, 1),
                     .state = tangent_state(call.running_stats, tangents.batch_sums,
                                            tangents.batch_count, epsilon_)},
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
       .state = tangent_state(call.running_stats, tangents.batch_sums, call.batch_count, epsilon_)},
      context);
}

void BatchnormLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  const bool batch = !call.batch_dparameters.empty();
  if (!batch && !tangents.dparameters.empty()) backward_tangent_sums(call, tangents, context);
  if (call.dx[0].defined()) {
    BatchnormTangentBackwardArgs args{
        .dx_tangent = tangents.dx[0],
        .dy_tangent = tangents.dy,
        .dy = call.dy,
        .x_tangent = tangents.x[0],
        .x = call.x[0],
        .gamma = scale_or_shift(call.parameters, 0),
        .gamma_tangent = scale_or_shift(tangents.parameters, 0),
        .state = tangent_state(call.running_stats, tangents.batch_sums, call.batch_count, epsilon_),
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

Value Graph::batchnorm(Value x, std::string_view name) {
  return batchnorm(x, BatchnormOptions{.name = std::string(name)});
}

Value Graph::batchnorm(Value x, const BatchnormOptions& options) {
  const std::string name = name_in_scope(options.name, "bn");
  require(options.epsilon > 0, name, ": epsilon must be above 0, got ", options.epsilon);
  require(options.momentum > 0 && options.momentum <= 1, name,
          ": the momentum of running statistics must be above 0 and at most 1, got ",
          options.momentum);
  require(
      options.track_running_stats, name,
      ": without running statistics a BatchNorm normalises by the batch in inference too, and an "
      "image's logits depend on the others: there is no such layer here");
  require(!options.cumulative_average, name,
          ": running statistics that are the mean over all batches (PyTorch's momentum=None) need "
          "their number, which is no part of a network here: choose a momentum");
  const Shape shape = shape_of(x), channels{channels_of(shape)};
  std::vector<ParameterSpec> tensors = scale_and_shift(options.affine, channels);
  tensors.push_back({"running_mean", ParameterKind::bn_mean, channels});
  tensors.push_back({"running_var", ParameterKind::bn_variance, channels});
  return add_layer(
      name, std::make_unique<BatchnormLayer>(options.epsilon, options.momentum, options.affine),
      {x}, shape, tensors);
}

}  // namespace topograd
