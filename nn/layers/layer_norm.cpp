// layer_norm: every pixel's channels standardised by their own mean and variance
// (kernels/layer_norm/). Images do not meet, so it needs no running statistics.
#include "kernels/layer_norm/layer_norm.h"

#include "kernels/layer_norm/layer_norm_tangent.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = gamma xhat + beta. Parameters: gamma [C], beta [C].
class LayerNormLayer : public Layer {
 public:
  std::string_view kind() const override { return "layer_norm"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool works_in_place() const override { return true; }
  /// A permutation of the channels permutes mean and variance's terms, and nothing else.
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool scales_with_parameters() const override { return true; }
};

void LayerNormLayer::forward(const ForwardCall& call, Context& context) const {
  layer_norm({.y = call.y, .x = call.x[0], .gamma = call.parameters[0], .beta = call.parameters[1]},
             context);
}

void LayerNormLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty())
    layer_norm_backward_sums({.dgamma = call.dparameters[0],
                              .dbeta = call.dparameters[1],
                              .dy = call.dy,
                              .x = call.x[0],
                              .write = call.write_parameters},
                             context);
  if (call.dx[0].defined())
    layer_norm_backward({.dx = call.dx[0],
                         .dy = call.dy,
                         .x = call.x[0],
                         .gamma = call.parameters[0],
                         .write = call.write[0]},
                        context);
}

void LayerNormLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  layer_norm_tangent({.y_tangent = tangents.y,
                      .x_tangent = tangents.x[0],
                      .x = call.x[0],
                      .gamma = call.parameters[0],
                      .gamma_tangent = tangents.parameters[0],
                      .beta_tangent = tangents.parameters[1]},
                     context);
}

void LayerNormLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  layer_norm_tangent_sums({.dgamma_tangent = tangents.dparameters[0],
                           .dbeta_tangent = tangents.dparameters[1],
                           .dy_tangent = tangents.dy,
                           .dy = call.dy,
                           .x_tangent = tangents.x[0],
                           .x = call.x[0],
                           .write = call.write_parameters},
                          context);
  if (call.dx[0].defined())
    layer_norm_tangent_backward({.dx_tangent = tangents.dx[0],
                                 .dy_tangent = tangents.dy,
                                 .dy = call.dy,
                                 .x_tangent = tangents.x[0],
                                 .x = call.x[0],
                                 .gamma = call.parameters[0],
                                 .gamma_tangent = tangents.parameters[0],
                                 .write = call.write[0]},
                                context);
  backward(call, context);
}

}  // namespace

Value Graph::layer_norm(Value x, const std::string& name) {
  const Shape shape = shape_of(x), channels{channels_of(shape)};
  return add_layer(name_in_scope(name, "ln"), std::make_unique<LayerNormLayer>(), {x}, shape,
                   {{"weight", ParameterKind::norm_scale, channels},
                    {"bias", ParameterKind::norm_shift, channels}});
}

}  // namespace topograd
