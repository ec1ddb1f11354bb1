#include "nn/graph_file.h"

#include <map>

#include "nn/graph_operations.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

constexpr const char* kGraphFormat = "topograd-graph-1";

/// Appends the node that a file describes.
Value append_node(Graph& graph, const GraphText& description, std::map<std::string, Value>& known) {
  NodeReader node(description, known);
  const std::string name = node.text_of("name");
  require(!name.empty() && !known.contains(name), "its name is ",
          name.empty() ? "empty" : "that of a node before it");
  const GraphOperation& operation = graph_operation_named(node.text_of("op"));
  const std::vector<Value> inputs = node.inputs(operation.least, operation.most);
  if (node.has("parameters_of")) {
    const std::string owner = node.text_of("parameters_of");
    require(known.contains(owner), "'parameters_of': '", owner, "' is no node before it");
    graph.share_parameters(known.at(owner));
  }
  const Value made = operation.append(graph, inputs, name, node);
  const std::string origin = node.text_of("origin", "");
  node.require_all_read();
  graph.describe(made, name, origin);
  known.emplace(name, made);
  return made;
}

/// Says which node an error is about: "node 'conv1' (net.py:12)".
std::string node_text(const GraphText& node, size_t index) {
  const auto member = [&](const char* key) {
    return node.is_object() && node.contains(key) && node.at(key).is_string()
               ? node.at(key).get<std::string>()
               : std::string();
  };
  const std::string name = member("name"), origin = member("origin");
  return (name.empty() ? text("node ", index) : text("node '", name, "'")) +
         (origin.empty() ? "" : " (" + origin + ")");
}

GraphText json_of(const Attribute& attribute) {
  return std::visit([](const auto& value) { return GraphText(value); }, attribute);
}

GraphText json_of(const Graph& graph, const Node& node) {
  const auto name_of_node = [&](int index) {
    return graph.nodes()[static_cast<size_t>(index)].name;
  };
  GraphText json{
      {"name", node.name}, {"op", node.layer->operation()}, {"inputs", GraphText::array()}};
  for (int input : node.inputs) json["inputs"].push_back(name_of_node(input));
  for (const auto& [key, value] : node.layer->attributes()) json[key] = json_of(value);
  if (node.parameters_of >= 0) json["parameters_of"] = name_of_node(node.parameters_of);
  if (!node.origin.empty()) json["origin"] = node.origin;
  return json;
}

}  // namespace

std::string graph_json(const Graph& graph, const std::string& name, bool for_reader) {
  const Shape& image = graph.image_shape();
  GraphText json{
      {"format", kGraphFormat}, {"name", name}, {"image", {image[0], image[1], image[2]}}};
  if (!for_reader) {
    for (size_t i = 1; i < graph.nodes().size(); ++i)
      json["nodes"].push_back(json_of(graph, graph.nodes()[i]));
    return json_text(json);
  }
  std::string all = json_text(json);
  all.pop_back();
  for (size_t i = 1; i < graph.nodes().size(); ++i)
    all += (i == 1 ? ", \"nodes\": [\n  " : ",\n  ") + json_text(json_of(graph, graph.nodes()[i]));
  return all + "\n]}\n";
}

NamedGraph graph_from_json(const std::string& text_of_graph) {
  const GraphText json = parse_ordered_json(text_of_graph);
  const auto member = [&](const char* key) -> const GraphText& {
    require(json.is_object() && json.contains(key), "a graph's file needs '", key, "'");
    return json.at(key);
  };
  require(member("format") == kGraphFormat, "its format is ", json_text(member("format")),
          ", this program reads \"", kGraphFormat, '"');
  for (const auto& [key, value] : json.items())
    require(key == "format" || key == "name" || key == "image" || key == "nodes",
            "a graph has no '", key, "': it has format, name, image and nodes");
  require_kind(member("name").is_string(), "name", "a text", member("name"));
  const GraphText &image = member("image"), &nodes = member("nodes");
  Shape shape;
  require_kind(image.is_array() && image.size() == 3, "image", "[height, width, channels]", image);
  for (const GraphText& extent : image) {
    require_kind(extent.is_number_integer() && extent > 0 && extent <= kLargestInteger, "image",
                 "[height, width, channels]", image);
    shape.push_back(extent.get<int64_t>());
  }
  require_kind(nodes.is_array() && !nodes.empty() && nodes.size() <= kMostNodes, "nodes",
               "a list of nodes", nodes.is_array() ? GraphText(nodes.size()) : nodes);
  Graph graph(shape);
  std::map<std::string, Value> known{{"input", graph.input()}};
  Value last;
  for (size_t i = 0; i < nodes.size(); ++i) {
    try {
      last = append_node(graph, nodes[i], known);
    } catch (const Error& error) {
      fail(node_text(nodes[i], i), ": ", error.what());
    }
  }
  graph.set_output(last);
  require(!graph.layout().parameters().empty(), "it has no parameters: there is nothing to train");
  const std::vector<int> readers = graph.reader_counts();
  for (size_t i = 0; i + 1 < readers.size(); ++i)
    require(readers[i] > 0,
            i == 0 ? text("no node reads the input")
                   : text(node_text(nodes[i - 1], i - 1), ": no node reads it: leave it out"));
  return {member("name").get<std::string>(), std::move(graph)};
}

}  // namespace topograd
