// Sums and products of two values, of a value and a parameter, and of a value and numbers
// (kernels/broadcast/).
#include "kernels/broadcast/broadcast.h"

#include "nn/graph.h"

namespace topograd {

namespace {

/// Views the smaller operand with as many axes as the larger one has: a vector's axis is the last.
/// `per_image`: its first axis is the images'; else it is a parameter.
Tensor aligned(const Tensor& small, const Shape& whole, bool per_image) {
  const Shape& s = small.shape();
  if (s.rank() == whole.rank()) return small;
  Shape shape{per_image ? s[0] : 1};
  while (shape.rank() < whole.rank() - 1) shape.push_back(1);
  shape.push_back(s[s.rank() - 1]);
  return small.reshaped(shape);
}

/// Whether one image's shape `small` can be broadcast against `whole`.
bool broadcasts(const Shape& small, const Shape& whole) {
  if (small.rank() == 0 || small.rank() > whole.rank()) return false;
  for (int axis = 1; axis <= small.rank(); ++axis) {
    const int64_t extent = small[small.rank() - axis];
    if (extent != 1 && extent != whole[whole.rank() - axis]) return false;
  }
  return small.rank() == whole.rank() || small.rank() == 1;
}

double sign_of(Elementwise operation) {
  return operation == Elementwise::subtract ? -1 : 1;
}

/// y = x0 + sign x1, first_sign x0 + x1, or x0 x1; x1 is broadcast against x0.
class BroadcastLayer : public Layer {
 public:
  BroadcastLayer(Elementwise operation, bool swapped)
      : operation_(operation),
        factors_{swapped ? sign_of(operation) : 1, swapped ? 1 : sign_of(operation)} {}
  std::string_view kind() const override { return name_of(operation_); }
  Attributes attributes() const override {
    if (operation_ != Elementwise::subtract || factors_[0] > 0) return {};
    return {{"reversed", true}};
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return is_product(); }
  /// A product needs dy for both gradients, and so does a sum that changes it on the way.
  bool works_in_place() const override { return !is_product() && factors_[0] == 1; }
  std::optional<ChannelMap> channel_map(std::span<const Shape> x, const Shape& y) const override;
  bool is_positively_homogeneous() const override { return !is_product(); }

 private:
  bool is_product() const { return operation_ == Elementwise::multiply; }
  void write_product_gradients(std::span<const Tensor> dx, std::span<const Write> write,
                               const Tensor& dy, std::span<const Tensor> x, Context& context) const;

  Elementwise operation_;
  double factors_[2];  // of a sum
};

void BroadcastLayer::forward(const ForwardCall& call, Context& context) const {
  const Tensor b = aligned(call.x[1], call.y.shape(), /*per_image=*/true);
  if (is_product())
    broadcast_product({.y = call.y, .a = call.x[0], .b = b}, context);
  else
    broadcast_sum(
        {.y = call.y, .a = call.x[0], .b = b, .a_factor = factors_[0], .b_factor = factors_[1]},
        context);
}

/// Writes what dy and the inputs give for dx. The first gradient comes first: both may be of one
/// value.
void BroadcastLayer::write_product_gradients(std::span<const Tensor> dx,
                                             std::span<const Write> write, const Tensor& dy,
                                             std::span<const Tensor> x, Context& context) const {
  if (dx[0].defined())
    broadcast_product({.y = dx[0],
                       .a = dy,
                       .b = aligned(x[1], dy.shape(), /*per_image=*/true),
                       .write = write[0]},
                      context);
  if (dx[1].defined())
    broadcast_reduce({.r = aligned(dx[1], dy.shape(), /*per_image=*/true),
                      .u = dy,
                      .v = x[0],
                      .write = write[1]},
                     context);
}

void BroadcastLayer::backward(const BackwardCall& call, Context& context) const {
  if (is_product()) return write_product_gradients(call.dx, call.write, call.dy, call.x, context);
  const Tensor& dy = call.dy;
  const bool nothing_to_do = call.dx[0].defined() && call.dx[0].raw() == dy.raw();
  if (call.dx[0].defined() && !nothing_to_do)
    broadcast_sum(
        {.y = call.dx[0], .a = dy, .b = {}, .a_factor = factors_[0], .write = call.write[0]},
        context);
  if (!call.dx[1].defined()) return;
  const Tensor db = aligned(call.dx[1], dy.shape(), /*per_image=*/true);
  if (db.shape() == dy.shape())  // which may be dy itself
    broadcast_sum({.y = db, .a = dy, .b = {}, .a_factor = factors_[1], .write = call.write[1]},
                  context);
  else
    broadcast_reduce({.r = db, .u = dy, .v = {}, .factor = factors_[1], .write = call.write[1]},
                     context);
}

/// y' = x0' x1 + x0 x1'; sums are linear.
void BroadcastLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  if (!is_product()) return Layer::forward_tangent(call, tangents, context);
  forward(call, context);
  const Shape& shape = call.y.shape();
  broadcast_product({.y = tangents.y, .a = tangents.x[0], .b = aligned(call.x[1], shape, true)},
                    context);
  broadcast_product({.y = tangents.y,
                     .a = call.x[0],
                     .b = aligned(tangents.x[1], shape, true),
                     .write = Write::accumulate},
                    context);
}

/// dx0' = dy' x1 + dy x1', and dx1' the sum of dy' x0 + dy x0'.
void BroadcastLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  if (!is_product()) return Layer::backward_tangent(call, tangents, context);
  constexpr Write added[] = {Write::accumulate, Write::accumulate};
  write_product_gradients(tangents.dx, call.write, tangents.dy, call.x, context);
  write_product_gradients(tangents.dx, added, call.dy, tangents.x, context);
  backward(call, context);
}

/// Ties channel c of the one to channel c of the other, where both have as many.
std::optional<ChannelMap> BroadcastLayer::channel_map(std::span<const Shape> x,
                                                      const Shape& y) const {
  ChannelMap map = ChannelMap::kept(channels_of(y));
  if (channels_of(x[1]) == channels_of(y))
    for (std::vector<ChannelMap::Source>& sources : map.sources)
      sources.push_back({.input = 1, .channel = sources[0].channel});
  return map;
}

/// y = x + p, x - p or x p, with a parameter p that is broadcast against every image.
class ParameterLayer : public Layer {
 public:
  ParameterLayer(const ParameterOperand& parameter)
      : operation_(parameter.operation), shape_(parameter.shape), initial_(parameter.initial) {}
  std::string_view kind() const override {
    return is_product() ? "multiply_parameter" : "add_parameter";
  }
  std::string_view operation() const override {
    return operation_ == Elementwise::subtract ? "subtract_parameter" : kind();
  }
  Attributes attributes() const override {
    return {{"shape", std::vector<int64_t>(shape_.begin(), shape_.end())}, {"initial", initial_}};
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return is_product(); }
  bool works_in_place() const override { return true; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool scales_with_parameters() const override { return is_product(); }
  bool is_positively_homogeneous() const override { return is_product(); }

 private:
  bool is_product() const { return operation_ == Elementwise::multiply; }
  /// Writes or adds to y: x p, or x + p.
  void combine(const Tensor& y, const Tensor& x, const Tensor& p, Write write,
               Context& context) const;
  /// Writes or adds to dp what dy gives, of a product with x.
  void write_parameter_gradient(const Tensor& dp, const Tensor& dy, const Tensor& x, Write write,
                                Context& context) const;

  Elementwise operation_;
  Shape shape_;
  double initial_;
};

void ParameterLayer::combine(const Tensor& y, const Tensor& x, const Tensor& p, Write write,
                             Context& context) const {
  const Tensor b = aligned(p, y.shape(), /*per_image=*/false);
  if (is_product())
    broadcast_product({.y = y, .a = x, .b = b, .write = write}, context);
  else
    broadcast_sum({.y = y, .a = x, .b = b, .b_factor = sign_of(operation_), .write = write},
                  context);
}

void ParameterLayer::write_parameter_gradient(const Tensor& dp, const Tensor& dy, const Tensor& x,
                                              Write write, Context& context) const {
  broadcast_reduce({.r = aligned(dp, dy.shape(), /*per_image=*/false),
                    .u = dy,
                    .v = is_product() ? x : Tensor(),
                    .factor = sign_of(operation_),
                    .write = write},
                   context);
}

void ParameterLayer::forward(const ForwardCall& call, Context& context) const {
  combine(call.y, call.x[0], call.parameters[0], Write::overwrite, context);
}

void ParameterLayer::backward(const BackwardCall& call, Context& context) const {
  if (!call.dparameters.empty())
    write_parameter_gradient(call.dparameters[0], call.dy, call.x[0], call.write_parameters,
                             context);
  const Tensor& dx = call.dx[0];
  if (!dx.defined()) return;
  if (is_product())
    combine(dx, call.dy, call.parameters[0], call.write[0], context);
  else if (dx.raw() != call.dy.raw())
    broadcast_sum({.y = dx, .a = call.dy, .b = {}, .write = call.write[0]}, context);
}

/// y' = x' + p', or x' p + x p'.
void ParameterLayer::forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                                     Context& context) const {
  forward(call, context);
  if (!is_product())
    return combine(tangents.y, tangents.x[0], tangents.parameters[0], Write::overwrite, context);
  combine(tangents.y, tangents.x[0], call.parameters[0], Write::overwrite, context);
  combine(tangents.y, call.x[0], tangents.parameters[0], Write::accumulate, context);
}

/// dp' = the sum of dy' x + dy x' and dx' = dy' p + dy p'; of a sum, dp' = the sum of dy' and
/// dx' = dy'.
void ParameterLayer::backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                      Context& context) const {
  if (!is_product()) return Layer::backward_tangent(call, tangents, context);
  write_parameter_gradient(tangents.dparameters[0], tangents.dy, call.x[0], call.write_parameters,
                           context);
  write_parameter_gradient(tangents.dparameters[0], call.dy, tangents.x[0], Write::accumulate,
                           context);
  if (call.dx[0].defined()) {
    combine(tangents.dx[0], tangents.dy, call.parameters[0], call.write[0], context);
    combine(tangents.dx[0], call.dy, tangents.parameters[0], Write::accumulate, context);
  }
  backward(call, context);
}

/// y = factor x + constant.
class LinearMapLayer : public Layer {
 public:
  LinearMapLayer(double factor, double constant) : factor_(factor), constant_(constant) {}
  std::string_view kind() const override { return "scaled"; }
  Attributes attributes() const override { return {{"factor", factor_}, {"constant", constant_}}; }
  void forward(const ForwardCall& call, Context& context) const override {
    broadcast_sum(
        {.y = call.y, .a = call.x[0], .b = {}, .a_factor = factor_, .constant = constant_},
        context);
  }
  void backward(const BackwardCall& call, Context& context) const override {
    if (!call.dx[0].defined()) return;
    broadcast_sum(
        {.y = call.dx[0], .a = call.dy, .b = {}, .a_factor = factor_, .write = call.write[0]},
        context);
  }
  /// y' = factor x'.
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override {
    forward(call, context);
    broadcast_sum({.y = tangents.y, .a = tangents.x[0], .b = {}, .a_factor = factor_}, context);
  }
  bool works_in_place() const override { return true; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool is_positively_homogeneous() const override { return constant_ == 0; }

 private:
  double factor_, constant_;
};

}  // namespace

std::string_view name_of(Elementwise operation) {
  switch (operation) {
    case Elementwise::add:
      return "add";
    case Elementwise::subtract:
      return "subtract";
    case Elementwise::multiply:
      return "multiply";
  }
  return "?";
}

Value Graph::combine(Value a, Value b, Elementwise operation) {
  const Shape A = shape_of(a), B = shape_of(b);
  if (operation == Elementwise::add && A == B) return add(a, b);
  const bool swapped = !broadcasts(B, A);
  require(!swapped || broadcasts(A, B), prefix_, name_of(operation), ": neither of ", A, " and ", B,
          " can be broadcast against the other");
  return add_layer(name_in_scope({}, std::string(name_of(operation))),
                   std::make_unique<BroadcastLayer>(operation, swapped),
                   swapped ? std::vector{b, a} : std::vector{a, b}, swapped ? B : A);
}

Value Graph::combine(Value x, const ParameterOperand& parameter) {
  const std::string name = name_in_scope(parameter.name, "parameter");
  require(broadcasts(parameter.shape, shape_of(x)), name, ": a parameter of shape ",
          parameter.shape, " cannot be broadcast against ", shape_of(x));
  const ParameterKind kind =
      parameter.operation == Elementwise::multiply ? ParameterKind::factor : ParameterKind::summand;
  const Shape& p = parameter.shape;
  const Shape shape = p.rank() == 3 ? Shape{1, p[0], p[1], p[2]} : p;  // as PyTorch has it
  return add_layer(name, std::make_unique<ParameterLayer>(parameter), {x}, shape_of(x),
                   {{.name = {}, .kind = kind, .shape = shape, .initial = parameter.initial}});
}

Value Graph::scaled(Value x, double factor, double constant) {
  return add_layer(name_in_scope({}, "scaled"), std::make_unique<LinearMapLayer>(factor, constant),
                   {x}, shape_of(x));
}

}  // namespace topograd
