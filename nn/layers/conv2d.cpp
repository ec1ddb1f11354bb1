// conv: a convolution over images (kernels/conv2d/).
#include "kernels/add/add.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = conv(x, weight) + bias. Parameters: weight [O, K, K, I], then bias [O] where it has one.
class Conv2dLayer : public Layer {
 public:
  Conv2dLayer(int64_t filters, int64_t kernel, ConvGeometry geometry, bool bias)
      : filters_(filters), kernel_(kernel), geometry_(geometry), bias_(bias) {}
  std::string_view kind() const override { return "conv2d"; }
  Attributes attributes() const override {
    return {{"filters", filters_},
            {"kernel", kernel_},
            {"stride", int64_t{geometry_.stride}},
            {"padding", int64_t{geometry_.padding}},
            {"bias", bias_}};
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool takes_still_inputs() const override { return true; }

  FusionRole fusion_role() const override { return FusionRole::convolution; }
  ConvGeometry conv_geometry() const override { return geometry_; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape&) const override {
    return ChannelMap::made();
  }
  bool is_affine() const override { return true; }

 private:
  int64_t filters_, kernel_;
  ConvGeometry geometry_;
  bool bias_;
};

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
  backward(on_tangents(call, tangents), context);
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

}  // namespace

Value Graph::conv(Value x, int64_t filters, const ConvOptions& options) {
  const std::string name = name_in_scope(options.name, "conv");
  const Shape in = image_shape_of(x, name);
  const int64_t K = options.kernel;
  const ConvGeometry geometry{options.stride,
                              options.padding < 0 ? static_cast<int>(K / 2) : options.padding};
  const Shape out{geometry.output_extent(in[0], K), geometry.output_extent(in[1], K), filters};
  std::vector<ParameterSpec> parameters{
      {"weight", ParameterKind::conv_weight, {filters, K, K, in[2]}}};
  if (options.bias) parameters.push_back({"bias", ParameterKind::bias, {filters}});
  return add_layer(name, std::make_unique<Conv2dLayer>(filters, K, geometry, options.bias), {x},
                   out, parameters);
}

}  // namespace topograd
