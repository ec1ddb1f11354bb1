#include "nn/graph.h"

#include <utility>

namespace topograd {

Graph::Graph(Shape image) {
  add_layer("input", nullptr, {}, image);
  image_shape_of(input(), "a graph's input");
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

namespace {

/// Throws Error for an image's output that is empty, or that no memory holds.
void require_possible(const std::string& name, const Shape& shape) {
  constexpr double kMost = 1e12;
  double size = 1;
  for (int64_t extent : shape) {
    require(extent > 0, name, " would make images of ", shape,
            ": its input is too small for it (kernel, padding, stride)");
    size *= static_cast<double>(extent);
  }
  require(size <= kMost, name, " would make images of ", shape, ", which no memory holds");
}

}  // namespace

std::vector<int64_t> Graph::parameters_like(const Node& node,
                                            const std::vector<ParameterSpec>& parameters) const {
  const Node& owner = nodes_[static_cast<size_t>(node.parameters_of)];
  require(owner.parameters.size() == parameters.size() && !parameters.empty(), node.name,
          " cannot read the parameters of ", owner.name, ", which has others");
  for (size_t i = 0; i < parameters.size(); ++i) {
    require(!is_state(parameters[i].kind) && owner.running_stats.empty(), node.name,
            " cannot share parameters: a BatchNorm's statistics are those of one place");
    const ParameterEntry& entry = layout_.parameters()[static_cast<size_t>(owner.parameters[i])];
    require(entry.shape == parameters[i].shape, node.name, " needs ", parameters[i].name, ' ',
            parameters[i].shape, ", and '", entry.name, "' is ", entry.shape);
  }
  return owner.parameters;
}

void Graph::describe(Value x, const std::string& name, const std::string& origin) {
  Node& node = nodes_[static_cast<size_t>(x.node)];
  require(node.name == name || node.parameters.empty() || node.parameters_of >= 0, node.name,
          " gives its parameters their names: it cannot be called ", name);
  node.name = name;
  node.origin = origin;
}

Value Graph::add_layer(std::string name, std::unique_ptr<const Layer> layer,
                       const std::vector<Value>& inputs, Shape shape,
                       const std::vector<ParameterSpec>& parameters) {
  Node node;
  node.name = std::move(name);
  node.layer = std::move(layer);
  for (Value x : inputs) {
    require(x.node >= 0 && x.node < static_cast<int>(nodes_.size()), node.name,
            ": an input is not of this graph");
    node.inputs.push_back(x.node);
  }
  node.shape = shape;
  require_possible(node.name, shape);
  if (!parameters.empty()) node.parameters_of = std::exchange(shared_, -1);
  if (node.parameters_of >= 0 && nodes_[static_cast<size_t>(node.parameters_of)].parameters_of >= 0)
    node.parameters_of = nodes_[static_cast<size_t>(node.parameters_of)].parameters_of;
  if (node.parameters_of >= 0)
    node.parameters = parameters_like(node, parameters);
  else
    for (const ParameterSpec& p : parameters)
      (is_state(p.kind) ? node.running_stats : node.parameters)
          .push_back(layout_.add(p.name.empty() ? node.name : node.name + "." + p.name, p.kind,
                                 p.shape, p.initial));
  nodes_.push_back(std::move(node));
  return {static_cast<int>(nodes_.size()) - 1};
}

const Shape& Graph::image_shape_of(Value x, std::string_view what) const {
  const Shape& shape = shape_of(x);
  require(shape.rank() == 3, what, " needs an image [H, W, C], got ", shape);
  return shape;
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

std::vector<bool> Graph::shares_parameters() const {
  std::vector<bool> shares(nodes_.size(), false);
  for (size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].parameters_of >= 0)
      shares[i] = shares[static_cast<size_t>(nodes_[i].parameters_of)] = true;
  return shares;
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
    int64_t positions = 1;  // at which the weight is applied
    if (weight.kind == ParameterKind::conv_weight) positions = node.shape[0] * node.shape[1];
    if (weight.kind == ParameterKind::conv_transpose_weight) {
      const Shape& in = nodes_[static_cast<size_t>(node.inputs[0])].shape;
      positions = in[0] * in[1];
    }
    total += positions * weight.size();
  }
  return total;
}

}  // namespace topograd
