#include "nn/graph_file.h"

#include <algorithm>
#include <map>
#include <set>

#include "nn/json_text.h"

namespace topograd {

namespace {

using GraphText = nlohmann::ordered_json;

constexpr const char* kGraphFormat = "topograd-graph-1";
constexpr size_t kMostNodes = 20'000;
/// Extents and counts beyond this are mistakes; products of two still fit in 64 bits.
constexpr int64_t kLargestInteger = 1 << 24;
/// Kernels, strides, paddings and dilations: products of two still fit in 32 bits.
constexpr int64_t kMostPixels = 1 << 15;

/// Throws Error unless a value of the file is of the kind that a reader expects.
void require_kind(bool is, const std::string& key, const char* expected, const GraphText& value) {
  require(is, "'", key, "' has to be ", expected, ", not ", json_text(value));
}

/// One node of a file, read attribute by attribute.
class NodeReader {
 public:
  NodeReader(const GraphText& node, const std::map<std::string, Value>& known)
      : node_(node), known_(known) {
    require(node.is_object(), "a node has to be an object {...}, not ", json_text(node));
  }

  std::string text_of(const std::string& key) {
    const GraphText& value = required(key);
    require_kind(value.is_string(), key, "a text", value);
    return value.get<std::string>();
  }
  std::string text_of(const std::string& key, const std::string& otherwise) {
    return has(key) ? text_of(key) : otherwise;
  }
  int64_t integer(const std::string& key) { return as_integer(key, required(key)); }
  int64_t integer(const std::string& key, int64_t otherwise) {
    return has(key) ? integer(key) : otherwise;
  }
  int small(const std::string& key, int otherwise) {
    return static_cast<int>(integer(key, otherwise));
  }
  /// A number for both axes, or a list of one for each.
  PerAxis per_axis(const std::string& key) {
    const GraphText& value = required(key);
    if (!value.is_array()) return pixels(key, value);
    require_kind(value.size() == 2, key, "an integer, or [height, width]", value);
    return {pixels(key, value[0]), pixels(key, value[1])};
  }
  PerAxis per_axis(const std::string& key, PerAxis otherwise) {
    return has(key) ? per_axis(key) : otherwise;
  }
  double number(const std::string& key, double otherwise) {
    if (!has(key)) return otherwise;
    const GraphText& value = required(key);
    require_kind(value.is_number(), key, "a number", value);
    return value.get<double>();
  }
  bool flag(const std::string& key, bool otherwise) {
    if (!has(key)) return otherwise;
    const GraphText& value = required(key);
    require_kind(value.is_boolean(), key, "true or false", value);
    return value.get<bool>();
  }
  std::vector<int64_t> integers(const std::string& key) {
    const GraphText& list = required(key);
    require_kind(list.is_array() && list.size() <= 64, key, "a list of integers", list);
    std::vector<int64_t> values;
    for (const GraphText& value : list) values.push_back(as_integer(key, value));
    return values;
  }

  /// Returns the nodes that this one reads. Throws Error unless there are so many.
  std::vector<Value> inputs(size_t least, size_t most) {
    const GraphText& list = required("inputs");
    require_kind(list.is_array(), "inputs", "a list of names of nodes before this one", list);
    require(list.size() >= least && list.size() <= most, "it takes ", least,
            most == least ? text("") : text(" or more"), least == 1 ? " input" : " inputs",
            ", and the file lists ", list.size());
    std::vector<Value> values;
    for (const GraphText& name : list) {
      require_kind(name.is_string(), "inputs", "a list of names of nodes before this one", list);
      const auto found = known_.find(name.get<std::string>());
      require(found != known_.end(), "its input '", name.get<std::string>(),
              "' is no node before it ('input' is the image)");
      values.push_back(found->second);
    }
    return values;
  }

  bool has(const std::string& key) {
    read_.insert(key);
    return node_.contains(key);
  }
  /// Throws Error for attributes that nobody asked for.
  void require_all_read() const {
    for (const auto& [key, value] : node_.items())
      require(read_.contains(key), "it has no attribute '", key, "': it takes ", attributes());
  }

 private:
  const GraphText& required(const std::string& key) {
    read_.insert(key);
    require(node_.contains(key), "it needs '", key, "'");
    return node_.at(key);
  }
  static int pixels(const std::string& key, const GraphText& value) {
    const int64_t number = as_integer(key, value);
    require(number >= 0 && number <= kMostPixels, "'", key, "' is ", number, ": choose 0 to ",
            kMostPixels);
    return static_cast<int>(number);
  }
  static int64_t as_integer(const std::string& key, const GraphText& value) {
    require_kind(value.is_number_integer(), key, "an integer", value);
    require(value.get<double>() >= -kLargestInteger && value.get<double>() <= kLargestInteger, "'",
            key, "' is ", json_text(value), ": too large a number");
    return value.get<int64_t>();
  }
  std::string attributes() const {
    std::string list;
    for (const std::string& key : read_)
      if (key != "name" && key != "op" && key != "origin") list += (list.empty() ? "" : ", ") + key;
    return list;
  }

  const GraphText& node_;
  const std::map<std::string, Value>& known_;
  std::set<std::string> read_;
};

/// An operation that a file may name: how many inputs it takes, and the method of Graph behind it.
struct Operation {
  std::string_view name;
  size_t least, most;  ///< inputs
  Value (*append)(Graph& graph, std::span<const Value> x, const std::string& name,
                  NodeReader& node);
};

template <Activation::Kind kKind>
Value append_activation(Graph& graph, std::span<const Value> x, const std::string&,
                        NodeReader& node) {
  Activation activation{.kind = kKind};
  if (kKind == Activation::Kind::leaky_relu) activation.slope = node.number("slope", 0.01);
  if (kKind == Activation::Kind::elu) activation.alpha = node.number("alpha", 1);
  if (kKind == Activation::Kind::softplus) {
    activation.beta = node.number("beta", 1);
    activation.threshold = node.number("threshold", 20);
  }
  return graph.activation(x[0], activation);
}

template <Elementwise kOperation>
Value append_combined(Graph& graph, std::span<const Value> x, const std::string&,
                      NodeReader& node) {
  const bool reversed = kOperation == Elementwise::subtract && node.flag("reversed", false);
  return graph.combine(x[reversed ? 1 : 0], x[reversed ? 0 : 1], kOperation);
}

template <Elementwise kOperation>
Value append_parameter(Graph& graph, std::span<const Value> x, const std::string& name,
                       NodeReader& node) {
  const std::vector<int64_t> shape = node.integers("shape");
  require(shape.size() == 1 || shape.size() == 3,
          "'shape' has to be [1], [channels] or [height, width, channels]");
  return graph.combine(
      x[0], {.operation = kOperation,
             .shape = Shape(shape.begin(), shape.end()),
             .initial = node.number("initial", kOperation == Elementwise::multiply ? 1 : 0),
             .name = name});
}

DropoutUnit dropout_unit(NodeReader& node) {
  const std::string unit = node.text_of("unit", "element");
  require(unit == "element" || unit == "channel" || unit == "image", "'unit' is \"", unit,
          "\": choose element, channel or image");
  return unit == "element"   ? DropoutUnit::element
         : unit == "channel" ? DropoutUnit::channel
                             : DropoutUnit::image;
}

PoolGeometry pool_geometry(NodeReader& node) {
  const PerAxis kernel = node.per_axis("kernel", 2);
  return {.kernel = kernel,
          .stride = node.per_axis("stride", kernel),
          .padding = node.per_axis("padding", 0),
          .ceil_mode = node.flag("ceil_mode", false)};
}

ResizeOptions resize_options(NodeReader& node) {
  return {.height = node.integer("height", 0),
          .width = node.integer("width", 0),
          .scale_h = node.number("scale_h", 0),
          .scale_w = node.number("scale_w", 0)};
}

LayerNormOptions layer_norm_options(NodeReader& node, const std::string& name) {
  const LayerNormOptions defaults;
  const std::string over = node.text_of("over", "channels");
  require(over == "channels" || over == "image", "'over' has to be \"channels\" or \"image\"");
  return {.epsilon = node.number("epsilon", defaults.epsilon),
          .affine = node.flag("affine", defaults.affine),
          .whole_image = over == "image",
          .name = name};
}

// What an operation's attributes are called, and what they are where a file leaves them out;
// Layer::attributes() says them.
const Operation kOperations[] = {
    {"adaptive_average_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.adaptive_average_pool(x[0], node.integer("height"), node.integer("width"));
     }},
    {"adaptive_max_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.adaptive_max_pool(x[0], node.integer("height"), node.integer("width"));
     }},
    {"add", 2, 2, append_combined<Elementwise::add>},
    {"add_parameter", 1, 1, append_parameter<Elementwise::add>},
    {"average_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       PoolGeometry geometry = pool_geometry(node);
       geometry.count_include_pad = node.flag("count_include_pad", true);
       geometry.divisor = node.small("divisor", 0);
       return graph.average_pool(x[0], geometry);
     }},
    {"batchnorm", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       const BatchnormOptions defaults;
       return graph.batchnorm(x[0], {.epsilon = node.number("epsilon", defaults.epsilon),
                                     .momentum = node.number("momentum", defaults.momentum),
                                     .affine = node.flag("affine", defaults.affine),
                                     .name = name});
     }},
    {"channel_shuffle", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.channel_shuffle(x[0], node.integer("groups"));
     }},
    {"concat", 1, kMostNodes,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader&) {
       return graph.concat({x.begin(), x.end()});
     }},
    {"conv2d", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       return graph.conv(x[0], node.integer("filters"),
                         {.kernel = node.per_axis("kernel"),
                          .stride = node.per_axis("stride", 1),
                          .padding = node.per_axis("padding", 0),
                          .dilation = node.per_axis("dilation", 1),
                          .groups = node.small("groups", 1),
                          .bias = node.flag("bias", false),
                          .name = name});
     }},
    {"conv_transpose2d", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       return graph.conv_transpose(x[0], node.integer("filters"),
                                   {.kernel = node.per_axis("kernel"),
                                    .stride = node.per_axis("stride", 1),
                                    .padding = node.per_axis("padding", 0),
                                    .output_padding = node.per_axis("output_padding", 0),
                                    .dilation = node.per_axis("dilation", 1),
                                    .groups = node.small("groups", 1),
                                    .bias = node.flag("bias", false),
                                    .name = name});
     }},
    {"dropout", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.dropout(
           x[0], {.probability = node.number("probability", 0.5), .unit = dropout_unit(node)});
     }},
    {"elu", 1, 1, append_activation<Activation::Kind::elu>},
    {"flatten", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader&) {
       return graph.flatten(x[0]);
     }},
    {"gelu", 1, 1, append_activation<Activation::Kind::gelu>},
    {"gelu_tanh", 1, 1, append_activation<Activation::Kind::gelu_tanh>},
    {"global_average_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader&) {
       return graph.global_average_pool(x[0]);
     }},
    {"global_max_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader&) {
       return graph.global_max_pool(x[0]);
     }},
    {"group_norm", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       const GroupNormOptions defaults;
       return graph.group_norm(x[0], node.integer("groups"),
                               {.epsilon = node.number("epsilon", defaults.epsilon),
                                .affine = node.flag("affine", defaults.affine),
                                .name = name});
     }},
    {"hardsigmoid", 1, 1, append_activation<Activation::Kind::hardsigmoid>},
    {"hardswish", 1, 1, append_activation<Activation::Kind::hardswish>},
    {"instance_norm", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       const InstanceNormOptions defaults;
       return graph.instance_norm(x[0], {.epsilon = node.number("epsilon", defaults.epsilon),
                                         .affine = node.flag("affine", defaults.affine),
                                         .name = name});
     }},
    {"layer_norm", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       return graph.layer_norm(x[0], layer_norm_options(node, name));
     }},
    {"leaky_relu", 1, 1, append_activation<Activation::Kind::leaky_relu>},
    {"linear", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string& name, NodeReader& node) {
       return graph.linear(x[0], node.integer("outputs"),
                           {.bias = node.flag("bias", true), .name = name});
     }},
    {"max_pool", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       PoolGeometry geometry = pool_geometry(node);
       geometry.dilation = node.per_axis("dilation", 1);
       return graph.max_pool(x[0], geometry);
     }},
    {"mean", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.mean(x[0], {.height = node.flag("over_height", false),
                                .width = node.flag("over_width", false),
                                .channels = node.flag("over_channels", false)});
     }},
    {"multiply", 2, 2, append_combined<Elementwise::multiply>},
    {"multiply_parameter", 1, 1, append_parameter<Elementwise::multiply>},
    {"pixel_shuffle", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.pixel_shuffle(x[0], node.integer("factor"));
     }},
    {"rearrange", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       const std::vector<int64_t> shape = node.integers("shape");
       require(shape.size() == 1 || shape.size() == 3,
               "'shape' has to be [features] or [height, width, channels]");
       return graph.rearrange(
           x[0],
           {.extents = node.integers("extents"),
            .strides = node.integers("strides"),
            .offset = node.integer("offset", 0),
            .begins = node.has("begins") ? node.integers("begins") : std::vector<int64_t>(),
            .ends = node.has("ends") ? node.integers("ends") : std::vector<int64_t>()},
           Shape(shape.begin(), shape.end()));
     }},
    {"relu", 1, 1, append_activation<Activation::Kind::relu>},
    {"relu6", 1, 1, append_activation<Activation::Kind::relu6>},
    {"resize_bilinear", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       ResizeOptions options = resize_options(node);
       options.align_corners = node.flag("align_corners", false);
       return graph.resize_bilinear(x[0], options);
     }},
    {"resize_nearest", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.resize_nearest(x[0], resize_options(node));
     }},
    {"scaled", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.scaled(x[0], node.number("factor", 1), node.number("constant", 0));
     }},
    {"shortcut_a", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.shortcut_a(x[0], node.integer("filters"), node.small("stride", 1));
     }},
    {"sigmoid", 1, 1, append_activation<Activation::Kind::sigmoid>},
    {"silu", 1, 1, append_activation<Activation::Kind::silu>},
    {"slice_channels", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.slice_channels(x[0], node.integer("begin"), node.integer("end"));
     }},
    {"softplus", 1, 1, append_activation<Activation::Kind::softplus>},
    {"subtract", 2, 2, append_combined<Elementwise::subtract>},
    {"subtract_parameter", 1, 1, append_parameter<Elementwise::subtract>},
    {"tanh", 1, 1, append_activation<Activation::Kind::tanh>},
    {"zero_pad", 1, 1,
     [](Graph& graph, std::span<const Value> x, const std::string&, NodeReader& node) {
       return graph.zero_pad(x[0], {.top = node.integer("top", 0),
                                    .bottom = node.integer("bottom", 0),
                                    .left = node.integer("left", 0),
                                    .right = node.integer("right", 0)});
     }},
};

const Operation& operation_named(const std::string& name) {
  for (const Operation& operation : kOperations)
    if (operation.name == name) return operation;
  std::string list;
  for (const std::string& known : graph_operations()) list += (list.empty() ? "" : ", ") + known;
  fail("unknown operation '", name, "': there are ", list);
}

/// Appends the node that a file describes.
Value append_node(Graph& graph, const GraphText& description, std::map<std::string, Value>& known) {
  NodeReader node(description, known);
  const std::string name = node.text_of("name");
  require(!name.empty() && !known.contains(name), "its name is ",
          name.empty() ? "empty" : "that of a node before it");
  const Operation& operation = operation_named(node.text_of("op"));
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

std::vector<std::string> graph_operations() {
  std::vector<std::string> names;
  for (const Operation& operation : kOperations) names.emplace_back(operation.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace topograd
