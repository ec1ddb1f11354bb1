// layer_norm: every pixel's channels standardised by their own mean and variance, or every image's
// elements (kernels/layer_norm/). Images do not meet, so it needs no running statistics.
#include "kernels/layer_norm/layer_norm.h"

#include "kernels/layer_norm/layer_norm_tangent.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = gamma xhat + beta. Parameters: gamma and beta, [C] each, or over a whole image [H, W, C]; or
/// none.
class LayerNormLayer : public Layer {
 public:
  explicit LayerNormLayer(const LayerNormOptions& options)
      : epsilon_(options.epsilon), affine_(options.affine), whole_image_(options.whole_image) {}
  std::string_view kind() const override { return "layer_norm"; }
  Attributes attributes() const override;
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
  bool scales_with_parameters() const override { return affine_; }

 private:
  /// Images as the rows to standardise, and a parameter as a vector beside them.
  Tensor rows(const Tensor& images) const {
    return whole_image_ && images.defined() ? as_matrix(images) : images;
  }
  Tensor vector(std::span<const Tensor> parameters, size_t k) const {
    const Tensor t = scale_or_shift(parameters, k);
    return t.defined() ? t.reshaped({t.size()}) : t;
  }

  double epsilon_;
  bool affine_, whole_image_;
};

Attributes LayerNormLayer::attributes() const {
  const LayerNormOptions defaults;
  Attributes attributes;
  if (epsilon_ != defaults.epsilon) attributes.emplace_back("epsilon", epsilon_);
  if (affine_ != defaults.affine) attributes.emplace_back("affine", affine_);
  if (whole_image_) attributes.emplace_back("over", std::string("image"));
  return attributes;
}

void LayerNormLayer::forward(const ForwardCall& call, Context& context) const {
  layer_norm({.y = rows(call.y),
              .x = rows(call.x[0]),
              .gamma = vector(call.parameters, 0),
              .beta = vector(call.parameters, 1),
              .epsilon = epsilon_},
             context);
}

void LayerNormLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty())
    layer_norm_backward_sums({.dgamma = vector(call.dparameters, 0),
                              .dbeta = vector(call.dparameters, 1),
                              .dy = rows(call.dy),
                              .x = rows(call.x[0]),
                              .epsilon = epsilon_,
                              .write = call.write_parameters},
                             context);
  if (call.dx[0].defined())
    layer_norm_backward({.dx = rows(call.dx[0]),
                         .dy = rows(call.dy),
                         .x = rows(call.x[0]),
                         .gamma = vector(call.parameters, 0),
                         .epsilon = epsilon_,
                         .write = call.write[0]},
                        context);
}

void LayerNormLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  layer_norm_tangent({.y_tangent = rows(tangents.y),
                      .x_tangent = rows(tangents.x[0]),
                      .x = rows(call.x[0]),
                      .gamma = vector(call.parameters, 0),
                      .gamma_tangent = vector(tangents.parameters, 0),
                      .beta_tangent = vector(tangents.parameters, 1),
                      .epsilon = epsilon_},
                     context);
}

void LayerNormLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  if (!tangents.dparameters.empty())
    layer_norm_tangent_sums({.dgamma_tangent = vector(tangents.dparameters, 0),
                             .dbeta_tangent = vector(tangents.dparameters, 1),
                             .dy_tangent = rows(tangents.dy),
                             .dy = rows(call.dy),
                             .x_tangent = rows(tangents.x[0]),
                             .x = rows(call.x[0]),
                             .epsilon = epsilon_,
                             .write = call.write_parameters},
                            context);
  if (call.dx[0].defined())
    layer_norm_tangent_backward({.dx_tangent = rows(tangents.dx[0]),
                                 .dy_tangent = rows(tangents.dy),
                                 .dy = rows(call.dy),
                                 .x_tangent = rows(tangents.x[0]),
                                 .x = rows(call.x[0]),
                                 .gamma = vector(call.parameters, 0),
                                 .gamma_tangent = vector(tangents.parameters, 0),
                                 .epsilon = epsilon_,
                                 .write = call.write[0]},
                                context);
  backward(call, context);
}

}  // namespace

Value Graph::layer_norm(Value x, std::string_view name) {
  return layer_norm(x, LayerNormOptions{.name = std::string(name)});
}

Value Graph::layer_norm(Value x, const LayerNormOptions& options) {
  const std::string name = name_in_scope(options.name, "ln");
  const Shape shape = shape_of(x);
  require(options.epsilon > 0, name, ": epsilon must be above 0, got ", options.epsilon);
  return add_layer(
      name, std::make_unique<LayerNormLayer>(options), {x}, shape,
      scale_and_shift(options.affine, options.whole_image ? shape : Shape{channels_of(shape)}));
}

}  // namespace topograd
