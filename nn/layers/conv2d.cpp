// conv: a convolution over images (kernels/conv2d/).
#include "kernels/add/add.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = conv(x, weight) + bias. Parameters: weight [O, KH, KW, I/G], then bias [O] where it has one.
class Conv2dLayer : public Layer {
 public:
  Conv2dLayer(int64_t filters, PerAxis kernel, const ConvGeometry& geometry, bool bias)
      : filters_(filters), kernel_(kernel), geometry_(geometry), bias_(bias) {}
  std::string_view kind() const override { return "conv2d"; }
  Attributes attributes() const override {
    Attributes all{{"filters", filters_},
                   {"kernel", attribute_of(kernel_)},
                   {"stride", attribute_of(geometry_.stride)},
                   {"padding", attribute_of(geometry_.padding)},
                   {"bias", bias_}};
    if (geometry_.dilation != 1) all.push_back({"dilation", attribute_of(geometry_.dilation)});
    if (geometry_.groups != 1) all.push_back({"groups", int64_t{geometry_.groups}});
    return all;
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
  /// A depthwise convolution keeps its channels, as a scale does.
  std::optional<ChannelMap> channel_map(std::span<const Shape> inputs,
                                        const Shape& y) const override {
    const bool depthwise =
        geometry_.groups == channels_of(inputs[0]) && geometry_.groups == channels_of(y);
    return depthwise ? ChannelMap::kept(channels_of(y)) : ChannelMap::made(geometry_.groups);
  }
  bool is_affine() const override { return true; }

 private:
  int64_t filters_;
  PerAxis kernel_;
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
  forward(on_direction(call, tangents), context);
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
  const Shape in = image_shape_of(x, name), image{1, in[0], in[1], in[2]};
  const PerAxis K = options.kernel, padding = options.padding, dilation = options.dilation;
  const ConvGeometry geometry{.stride = options.stride,
                              .padding = {padding.h < 0 ? dilation.h * (K.h / 2) : padding.h,
                                          padding.w < 0 ? dilation.w * (K.w / 2) : padding.w},
                              .dilation = dilation,
                              .groups = options.groups};
  require(K.h > 0 && K.w > 0 && filters > 0, name, ": ", filters, " filters with a kernel of ", K,
          " make no convolution");
  require(options.groups > 0 && in[2] % options.groups == 0, name, ": ", in[2],
          " channels do not divide among ", options.groups, " groups");
  const Shape weight{filters, K.h, K.w, in[2] / options.groups};
  geometry.check(name, image, weight);
  const Shape out = geometry.output(image, weight);
  std::vector<ParameterSpec> parameters{{"weight", ParameterKind::conv_weight, weight}};
  if (options.bias) parameters.push_back({"bias", ParameterKind::bias, {filters}});
  return add_layer(name, std::make_unique<Conv2dLayer>(filters, K, geometry, options.bias), {x},
                   {out[1], out[2], out[3]}, parameters);
}

}  // namespace topograd
