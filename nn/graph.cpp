#include "nn/graph.h"

namespace topograd {

namespace {

/// [n, shape].
Shape image_dims(const Shape& shape, std::string_view what) {
  require(shape.rank() == 3, what, " needs an image [H, W, C], got ", shape);
  return shape;
}

}  // namespace

Graph::Graph(Shape image) {
  image_dims(image, "a graph's input");
  add_node("input", nullptr, {}, image);
}

Graph::Scope::Scope(Graph& graph, const std::string& name) : graph_(graph), outer_(graph.prefix_) {
  graph_.prefix_ = outer_.empty() ? name + "." : outer_ + name + ".";
}

Graph::Scope::~Scope() {
  graph_.prefix_ = outer_;
}

std::string Graph::name_in_scope(const std::string& given, const std::string& stem) {
  if (!given.empty()) return prefix_ + given;
  return prefix_ + stem + std::to_string(++counters_[prefix_ + stem]);
}

Value Graph::add_node(std::string name, std::unique_ptr<const Layer> layer,
                      std::vector<Value> inputs, Shape shape) {
  Node node;
  node.name = std::move(name);
  node.layer = std::move(layer);
  for (Value x : inputs) {
    require(x.node >= 0 && x.node < static_cast<int>(nodes_.size()), node.name,
            ": an input is not of this graph");
    node.inputs.push_back(x.node);
  }
  node.shape = shape;
  nodes_.push_back(std::move(node));
  return {static_cast<int>(nodes_.size()) - 1};
}

int64_t Graph::add_parameter(const std::string& name, ParameterKind kind, Shape shape) {
  const int64_t index = layout_.add(nodes_.back().name + "." + name, kind, shape);
  (is_state(kind) ? nodes_.back().running_stats : nodes_.back().parameters).push_back(index);
  return index;
}

Value Graph::conv(Value x, int64_t filters, const ConvOptions& options) {
  const std::string name = name_in_scope(options.name, "conv");
  const Shape in = image_dims(shape_of(x), name);
  const int64_t K = options.kernel;
  const ConvGeometry geometry{options.stride,
                              options.padding < 0 ? static_cast<int>(K / 2) : options.padding};
  const Shape out{geometry.output_extent(in[0], K), geometry.output_extent(in[1], K), filters};
  const Value y = add_node(name, std::make_unique<Conv2dLayer>(geometry, options.bias), {x}, out);
  add_parameter("weight", ParameterKind::conv_weight, {filters, K, K, in[2]});
  if (options.bias) add_parameter("bias", ParameterKind::bias, {filters});
  return y;
}

Value Graph::batchnorm(Value x, const std::string& name) {
  const Shape shape = shape_of(x);
  const Shape channels{shape[shape.rank() - 1]};
  const Value y =
      add_node(name_in_scope(name, "bn"), std::make_unique<BatchnormLayer>(), {x}, shape);
  add_parameter("weight", ParameterKind::norm_scale, channels);
  add_parameter("bias", ParameterKind::norm_shift, channels);
  add_parameter("running_mean", ParameterKind::bn_mean, channels);
  add_parameter("running_var", ParameterKind::bn_variance, channels);
  return y;
}

Value Graph::activation(Value x, Activation activation) {
  return add_node(name_in_scope({}, std::string(name_of(activation))),
                  std::make_unique<ActivationLayer>(activation), {x}, shape_of(x));
}

Value Graph::add(Value a, Value b) {
  require(shape_of(a) == shape_of(b), prefix_, "add: ", shape_of(a), " and ", shape_of(b),
          " differ");
  return add_node(name_in_scope({}, "add"), std::make_unique<AddLayer>(), {a, b}, shape_of(a));
}

Value Graph::concat(Value a, Value b) {
  const Shape A = image_dims(shape_of(a), "concat"), B = image_dims(shape_of(b), "concat");
  require(A[0] == B[0] && A[1] == B[1], prefix_, "concat: ", A, " and ", B, " differ in extent");
  return add_node(name_in_scope({}, "concat"), std::make_unique<ConcatLayer>(), {a, b},
                  {A[0], A[1], A[2] + B[2]});
}

Value Graph::shortcut_a(Value x, int64_t filters, int stride) {
  const Shape in = image_dims(shape_of(x), "shortcut_a");
  require(filters >= in[2], "shortcut_a: cannot pad ", in[2], " channels to ", filters);
  const Shape out{(in[0] + stride - 1) / stride, (in[1] + stride - 1) / stride, filters};
  return add_node(name_in_scope({}, "shortcut_a"), std::make_unique<ShortcutALayer>(stride), {x},
                  out);
}

Value Graph::pool(Value x, PoolKind kind, PoolGeometry geometry) {
  const Shape in = image_dims(shape_of(x), "pool");
  const ConvGeometry windows{geometry.stride, geometry.padding};
  const Shape out{windows.output_extent(in[0], geometry.kernel),
                  windows.output_extent(in[1], geometry.kernel), in[2]};
  return add_node(name_in_scope({}, "pool"), std::make_unique<PoolLayer>(kind, geometry), {x}, out);
}

Value Graph::max_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::max, geometry);
}

Value Graph::average_pool(Value x, PoolGeometry geometry) {
  return pool(x, PoolKind::average, geometry);
}

Value Graph::global_average_pool(Value x) {
  return add_node(name_in_scope({}, "pool"), std::make_unique<GlobalAveragePoolLayer>(), {x},
                  {image_dims(shape_of(x), "global_average_pool")[2]});
}

Value Graph::linear(Value x, int64_t outputs, const std::string& name) {
  const Shape in = shape_of(x);
  const Value y = add_node(prefix_ + (name.empty() ? "linear" : name),
                           std::make_unique<LinearLayer>(), {x}, {outputs});
  add_parameter("weight", ParameterKind::linear_weight,
                in.rank() == 1 ? Shape{outputs, in[0]} : Shape{outputs, in[0], in[1], in[2]});
  add_parameter("bias", ParameterKind::bias, {outputs});
  return y;
}

void Graph::set_output(Value x) {
  require(shape_of(x).rank() == 1, "a network's output is one vector of logits, got ", shape_of(x));
  require(x.node == static_cast<int>(nodes_.size()) - 1,
          "the output must be the last node: what comes after it would never be used");
  output_ = x.node;
}

int Graph::output() const {
  require(output_ >= 0, "this graph has no output: call set_output");
  return output_;
}

std::vector<int> Graph::reader_counts() const {
  std::vector<int> counts(nodes_.size(), 0);
  for (const Node& node : nodes_)
    for (int input : node.inputs) ++counts[static_cast<size_t>(input)];
  return counts;
}

int64_t Graph::macs() const {
  int64_t total = 0;
  for (const Node& node : nodes_) {
    if (node.parameters.empty()) continue;
    const ParameterEntry& weight = layout_.parameters()[static_cast<size_t>(node.parameters[0])];
    if (!weight.is_weight()) continue;
    const int64_t positions =
        weight.kind == ParameterKind::conv_weight ? node.shape[0] * node.shape[1] : 1;
    total += positions * weight.size();
  }
  return total;
}

}  // namespace topograd
