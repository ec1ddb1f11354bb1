// conv_transpose: what a convolution does to gradients, done to images (kernels/conv2d/). The three
// directions of conv2d change places: its gradient of the input is the forward pass here, and the
// other way round.
#include "kernels/add/add.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = conv(., weight)^T x + bias, of the convolution that takes images like y to such as x.
/// Parameters: weight [I, KH, KW, O/G], which that convolution has as I filters of O channels, then
/// bias [O] where it has one.
class ConvTransposeLayer : public Layer {
 public:
  ConvTransposeLayer(int64_t filters, PerAxis kernel, const ConvGeometry& geometry,
                     PerAxis output_padding, bool bias)
      : filters_(filters),
        kernel_(kernel),
        geometry_(geometry),
        output_padding_(output_padding),
        bias_(bias) {}
  std::string_view kind() const override { return "conv_transpose2d"; }
  Attributes attributes() const override {
    return {{"filters", filters_},
            {"kernel", attribute_of(kernel_)},
            {"stride", attribute_of(geometry_.stride)},
            {"padding", attribute_of(geometry_.padding)},
            {"output_padding", attribute_of(output_padding_)},
            {"dilation", attribute_of(geometry_.dilation)},
            {"groups", int64_t{geometry_.groups}},
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
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape&) const override {
    return ChannelMap::made(geometry_.groups, true);
  }
  bool is_affine() const override { return true; }

 private:
  /// Sets or adds up y = conv(., w)^T x, and dx = conv(dy, w).
  void spread(const Tensor& y, const Tensor& x, const Tensor& w, Write write, uint64_t version,
              const ForwardCall& call, Context& context) const {
    conv2d_backward_data({.dx = y,
                          .dy = x,
                          .w = w,
                          .geometry = geometry_,
                          .write = write,
                          .weights_version = version,
                          .error_budget = call.error_budget,
                          .precision = call.precision},
                         context);
  }
  void gather(const Tensor& dx, const Tensor& dy, const Tensor& w, Write write, uint64_t version,
              const BackwardCall& call, Context& context) const {
    conv2d_forward({.y = dx,
                    .x = dy,
                    .w = w,
                    .bias = {},
                    .geometry = geometry_,
                    .write = write,
                    .weights_version = version,
                    .error_budget = call.error_budget,
                    .precision = call.precision},
                   context);
  }
  void weight_gradient(const Tensor& dw, const Tensor& dy, const Tensor& x, Write write,
                       const BackwardCall& call, Context& context) const {
    conv2d_backward_filter({.dw = dw,
                            .dy = x,
                            .x = dy,
                            .geometry = geometry_,
                            .write = write,
                            .precision = call.precision},
                           context);
  }

  int64_t filters_;
  PerAxis kernel_;
  ConvGeometry geometry_;
  PerAxis output_padding_;
  bool bias_;
};

void ConvTransposeLayer::forward(const ForwardCall& call, Context& context) const {
  spread(call.y, call.x[0], call.parameters[0], Write::overwrite, call.weights_version, call,
         context);
  if (bias_) add_bias({.y = call.y, .bias = call.parameters[1]}, context);
}

void ConvTransposeLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty()) {
    weight_gradient(call.dparameters[0], call.dy, call.x[0], call.write_parameters, call, context);
    if (bias_)
      bias_gradient({.db = call.dparameters[1], .dy = call.dy, .write = call.write_parameters},
                    context);
  }
  if (call.dx[0].defined())
    gather(call.dx[0], call.dy, call.parameters[0], call.write[0], call.weights_version, call,
           context);
}

/// y' = conv(., w')^T x + bias' + conv(., w)^T x'.
void ConvTransposeLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                         Context& context) const {
  forward(call, context);
  forward(on_direction(call, tangents), context);
  if (tangents.x[0].defined())
    spread(tangents.y, tangents.x[0], call.parameters[0], Write::accumulate, call.weights_version,
           call, context);
}

/// dw' = dy' * x + dy * x',   dx' = conv(dy', w) + conv(dy, w').
void ConvTransposeLayer::backward_tangent(const BackwardCall& call,
                                          const BackwardTangents& tangents,
                                          Context& context) const {
  backward(on_tangents(call, tangents), context);
  if (tangents.x[0].defined())
    weight_gradient(tangents.dparameters[0], call.dy, tangents.x[0], Write::accumulate, call,
                    context);
  if (call.dx[0].defined())
    gather(tangents.dx[0], call.dy, tangents.parameters[0], Write::accumulate, tangents.version,
           call, context);
  backward(call, context);
}

}  // namespace

Value Graph::conv_transpose(Value x, int64_t filters, const ConvTransposeOptions& options) {
  const std::string name = name_in_scope(options.name, "conv_transpose");
  const Shape in = image_shape_of(x, name);
  const PerAxis K = options.kernel, extra = options.output_padding;
  const ConvGeometry geometry{.stride = options.stride,
                              .padding = options.padding,
                              .dilation = options.dilation,
                              .groups = options.groups};
  require(K.h > 0 && K.w > 0 && filters > 0, name, ": ", filters, " filters with a kernel of ", K,
          " make no convolution");
  require(options.groups > 0 && in[2] % options.groups == 0 && filters % options.groups == 0, name,
          ": ", in[2], " channels and ", filters, " filters do not divide among ", options.groups,
          " groups");
  require(extra.h >= 0 && extra.w >= 0 && extra.h < options.stride.h && extra.w < options.stride.w,
          name, ": the output's padding ", extra, " must be smaller than the stride, ",
          options.stride);
  const auto extent = [](int64_t input, int64_t kernel, int stride, int padding, int dilation,
                         int output_padding) {
    return (input - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1;
  };
  const int64_t OH =
      extent(in[0], K.h, options.stride.h, options.padding.h, options.dilation.h, extra.h);
  const int64_t OW =
      extent(in[1], K.w, options.stride.w, options.padding.w, options.dilation.w, extra.w);
  require(OH > 0 && OW > 0, name, ": nothing is left of an image of ", in, " with ", geometry);
  const Shape weight{in[2], K.h, K.w, filters / options.groups};
  geometry.check(name, {1, OH, OW, filters}, weight);
  std::vector<ParameterSpec> parameters{{"weight", ParameterKind::conv_transpose_weight, weight}};
  if (options.bias) parameters.push_back({"bias", ParameterKind::bias, {filters}});
  return add_layer(name,
                   std::make_unique<ConvTransposeLayer>(filters, K, geometry, extra, options.bias),
                   {x}, {OH, OW, filters}, parameters);
}

}  // namespace topograd
