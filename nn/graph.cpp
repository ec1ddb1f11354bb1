#include "nn/graph.h"

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
