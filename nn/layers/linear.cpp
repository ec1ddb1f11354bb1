// linear: a matrix times the flattened input, and perhaps a bias (kernels/gemm/).
#include "kernels/add/add.h"
#include "kernels/gemm/gemm.h"
#include "nn/graph.h"

namespace topograd {

namespace {

/// y = x w^T + bias. Parameters: weight [O, I], then bias [O] where it has one.
class LinearLayer : public Layer {
 public:
  LinearLayer(int64_t outputs, bool bias) : outputs_(outputs), bias_(bias) {}
  std::string_view kind() const override { return "linear"; }
  Attributes attributes() const override {
    Attributes all{{"outputs", outputs_}};
    if (!bias_) all.push_back({"bias", false});
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
  FusionRole fusion_role() const override { return FusionRole::linear; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape&) const override {
    return ChannelMap::made();
  }
  bool is_affine() const override { return true; }

 private:
  int64_t outputs_;
  bool bias_;
};

void LinearLayer::forward(const ForwardCall& call, Context& context) const {
  gemm({.c = call.y,
        .a = as_matrix(call.x[0]),
        .b = as_matrix(call.parameters[0]),
        .transpose_b = true,
        .precision = call.precision},
       context);
  if (bias_) add_bias({.y = call.y, .bias = call.parameters[1]}, context);
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
    if (bias_)
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

/// y' = x w'^T + bias' + x' w^T.
void LinearLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                  Context& context) const {
  forward(call, context);
  forward(on_direction(call, tangents), context);
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
  backward(on_tangents(call, tangents), context);
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

}  // namespace

Value Graph::linear(Value x, int64_t outputs, const LinearOptions& options) {
  const Shape in = shape_of(x);
  const Shape weight = in.rank() == 1 ? Shape{outputs, in[0]} : Shape{outputs, in[0], in[1], in[2]};
  std::vector<ParameterSpec> parameters{{"weight", ParameterKind::linear_weight, weight}};
  if (options.bias) parameters.push_back({"bias", ParameterKind::bias, {outputs}});
  return add_layer(prefix_ + (options.name.empty() ? "linear" : options.name),
                   std::make_unique<LinearLayer>(outputs, options.bias), {x}, {outputs},
                   parameters);
}

}  // namespace topograd
