#include "nn/graph_operations.h"

namespace topograd {

namespace {

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
  if (kKind == Activation::Kind::power) activation.exponent = node.number("exponent", 2);
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
const GraphOperation kOperations[] = {
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
    {"exp", 1, 1, append_activation<Activation::Kind::exp>},
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
    {"log", 1, 1, append_activation<Activation::Kind::log>},
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
    {"power", 1, 1, append_activation<Activation::Kind::power>},
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

}  // namespace

const GraphOperation& graph_operation_named(const std::string& name) {
  std::string list;
  for (const GraphOperation& operation : kOperations) {
    if (operation.name == name) return operation;
    list += (list.empty() ? "" : ", ") + std::string(operation.name);
  }
  fail("unknown operation '", name, "': there are ", list);
}

}  // namespace topograd
