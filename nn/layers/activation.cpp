// activation: ReLU, tanh, GELU and others, elementwise (kernels/activation/).
#include "nn/graph.h"

namespace topograd {

namespace {

class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(Activation activation) : activation_(activation) {}
  std::string_view kind() const override { return name_of(activation_); }
  Attributes attributes() const override {
    switch (activation_.kind) {
      case Activation::Kind::leaky_relu:
        return {{"slope", activation_.slope}};
      case Activation::Kind::elu:
        return {{"alpha", activation_.alpha}};
      case Activation::Kind::softplus:
        return {{"beta", activation_.beta}, {"threshold", activation_.threshold}};
      case Activation::Kind::power:
        return {{"exponent", activation_.exponent}};
      default:
        return {};
    }
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return !activation_.differentiates_output(); }
  bool backward_reads_output() const override { return activation_.differentiates_output(); }
  bool works_in_place() const override { return true; }

  FusionRole fusion_role() const override {
    return is_relu() ? FusionRole::relu : FusionRole::none;
  }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override {
    return activation_.is_positively_homogeneous();
  }

 private:
  bool is_relu() const { return activation_ == Activation::relu; }

  Activation activation_;
};

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
  if (!activation_.is_piecewise_linear())
    activation_curvature({.dx_tangent = tangents.dx[0],
                          .dy = call.dy,
                          .saved = from_input ? call.x[0] : call.y,
                          .saved_tangent = from_input ? tangents.x[0] : tangents.y,
                          .activation = activation_},
                         context);
  backward(call, context);
}

}  // namespace

Value Graph::activation(Value x, Activation activation) {
  return add_layer(name_in_scope({}, std::string(name_of(activation))),
                   std::make_unique<ActivationLayer>(activation), {x}, shape_of(x));
}

}  // namespace topograd
