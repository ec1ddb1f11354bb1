// Graph: a network's structure, written down by short functions that read like the papers:
//   x = g.relu(g.batchnorm(g.conv(x, 16)));
// A graph holds layers, shapes and names, never weights: these are one flat vector beside it.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "kernels/activation/activation.h"
#include "kernels/dropout/dropout.h"
#include "kernels/pool/pool.h"
#include "nn/layer.h"
#include "nn/parameter_layout.h"

namespace topograd {

/// The output of a node; only its graph can make one.
struct Value {
  int node = -1;
};

/// torch.nn.Conv2d's. Numbers are one for both axes, or one for each: {.kernel = {1, 7}}.
struct ConvOptions {
  PerAxis kernel = 3;
  PerAxis stride = 1;
  /// -1: dilation * (kernel / 2), which with odd kernels keeps the extent at stride 1.
  PerAxis padding = -1;
  PerAxis dilation = 1;
  int groups = 1;  ///< as many as channels: depthwise
  bool bias = false;
  std::string name = {};  ///< empty: "conv1", "conv2", ... within the scope
};

/// torch.nn.ConvTranspose2d's. The output's extent is
/// (extent - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.
struct ConvTransposeOptions {
  PerAxis kernel = 3;
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< smaller than the stride
  PerAxis dilation = 1;
  int groups = 1;
  bool bias = false;
  std::string name = {};  ///< empty: "conv_transpose1", "conv_transpose2", ... within the scope
};

struct LinearOptions {
  bool bias = true;
  std::string name = {};  ///< empty: "linear"
};

/// Dropout: in a training step each unit is 0 with probability `probability`, and divided by
/// 1 - probability otherwise; anywhere else it is what it was. Units are elements (PyTorch's
/// Dropout), an image's channels (Dropout2d), or images: at the end of a block that a shortcut leads
/// around, that is stochastic depth (torchvision's, of mode "row").
struct DropoutOptions {
  double probability = 0.5;  ///< in [0, 1]
  DropoutUnit unit = DropoutUnit::element;
};

enum class Elementwise { add, subtract, multiply };
std::string_view name_of(Elementwise operation);

/// A parameter that every image is combined with: layer scale, a position embedding, one number.
struct ParameterOperand {
  Elementwise operation = Elementwise::multiply;
  Shape shape = {1};      ///< [1], [channels], or [H, W, C] with extents of 1 where it is broadcast
  double initial = 1;     ///< first value of all its elements
  std::string name = {};  ///< the parameter's own; empty: "parameter1", ... within the scope
};

/// Elements of an image, or of a vector, in another order. Element (i0, i1, ...) of the output, in
/// row-major order of `extents`, is element offset + sum over k of (i_k - begin_k) stride_k of the
/// input in its row-major order, [H, W, C] or [features], where begin_k <= i_k < end_k along every
/// axis, and 0 elsewhere. No element may be read twice.
struct Rearrangement {
  std::vector<int64_t> extents;  ///< of at most six axes, outermost first
  std::vector<int64_t> strides;  ///< of any sign, one for each axis
  int64_t offset = 0;
  std::vector<int64_t> begins = {}, ends = {};  ///< empty: every axis is read from end to end
};

/// Rows and columns of zeros around an image; below 0, rows and columns that are cut off.
struct ZeroPadding {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// Axes of an image over which a mean is taken; they stay, with an extent of 1.
struct MeanAxes {
  bool height = false, width = false, channels = false;
};

/// A PyTorch BatchNorm's, and what there is of it here.
struct BatchnormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< above 0, up to 1
  bool affine = true;     ///< whether there are gamma and beta
  /// false: statistics of the batch in inference too, which would make an image's logits depend on
  /// the others. Refused.
  bool track_running_stats = true;
  /// PyTorch's momentum=None: running statistics that are the mean over all batches, whose number
  /// would be part of a network's state. Refused.
  bool cumulative_average = false;
  std::string name = {};
};

struct GroupNormOptions {
  double epsilon = 1e-5;
  bool affine = true;
  std::string name = {};
};

struct InstanceNormOptions {
  double epsilon = 1e-5;
  bool affine = false;
  bool track_running_stats = false;  ///< refused
  std::string name = {};
};

struct LayerNormOptions {
  double epsilon = 1e-5;
  bool affine = true;
  bool whole_image = false;  ///< over [H, W, C] with parameters of that shape; else over C
  std::string name = {};
};

/// An extent or a scale for each axis. A scale makes floor(scale * extent) pixels of an axis, and
/// positions are its multiples; without one they are multiples of the extents' ratio.
struct ResizeOptions {
  int64_t height = 0, width = 0;
  double scale_h = 0, scale_w = 0;
  bool align_corners = false;  ///< bilinear: centres of the corners' pixels stay where they are
};

struct Node {
  std::string name;                    ///< with its scopes: "layer1.0.conv1"
  std::unique_ptr<const Layer> layer;  ///< null for the input node
  std::vector<int> inputs;             ///< indices of earlier nodes
  Shape shape;                         ///< one image's output: [H, W, C] or [features]
  std::vector<int64_t> parameters;     ///< indices into layout().parameters()
  std::vector<int64_t> running_stats;  ///< indices into layout().running_stats()
  int parameters_of = -1;              ///< the earlier node whose parameters it reads; -1: its own
  std::string origin = {};             ///< where a user's program makes it: "net.py:12"; or empty
};

/// One tensor of a layer that is added to a graph: "weight", or "running_mean".
struct ParameterSpec {
  std::string name;  ///< empty: the layer's own
  ParameterKind kind;
  Shape shape;
  double initial = 0;  ///< first value of a factor or summand
};

/// Nodes in topological order: every node's inputs come before it.
class Graph {
 public:
  /// Begins a graph for images of shape [H, W, C].
  explicit Graph(Shape image);

  Value input() const { return {0}; }

  // Layers. This is the list that a layer is entered in; each method is defined in the layer's
  // file, nn/layers/<layer>.cpp. Where a `name` is empty, layers of a kind are numbered within the
  // scope ("bn1", "bn2", ...). Throws Error where the inputs' shapes do not fit.
  Value activation(Value x, Activation activation);
  Value adaptive_average_pool(Value x, int64_t height, int64_t width);
  Value adaptive_max_pool(Value x, int64_t height, int64_t width);
  Value relu(Value x) { return activation(x, Activation::relu); }
  Value add(Value a, Value b);
  Value average_pool(Value x, PoolGeometry geometry);
  Value batchnorm(Value x, std::string_view name = {});
  Value batchnorm(Value x, const BatchnormOptions& options);
  /// One of the two may have fewer elements: it is broadcast against the other, as PyTorch does.
  Value combine(Value a, Value b, Elementwise operation);
  Value combine(Value x, const ParameterOperand& parameter);
  Value channel_shuffle(Value x, int64_t groups);
  Value concat(Value a, Value b) { return concat(std::vector{a, b}); }
  Value concat(const std::vector<Value>& parts);  ///< along channels; at least one
  Value conv(Value x, int64_t filters, const ConvOptions& options = {});
  Value conv_transpose(Value x, int64_t filters, const ConvTransposeOptions& options = {});
  Value dropout(Value x, const DropoutOptions& options = {});
  Value flatten(Value x);  ///< in PyTorch's order: channels, rows, columns
  Value global_average_pool(Value x);
  Value global_max_pool(Value x);
  Value group_norm(Value x, int64_t groups, const GroupNormOptions& options = {});
  Value instance_norm(Value x, const InstanceNormOptions& options = {});
  Value layer_norm(Value x, std::string_view name = {});
  Value layer_norm(Value x, const LayerNormOptions& options);
  Value linear(Value x, int64_t outputs, const LinearOptions& options = {});
  Value linear(Value x, int64_t outputs, const std::string& name) {
    return linear(x, outputs, LinearOptions{.name = name});
  }
  Value max_pool(Value x, PoolGeometry geometry);
  Value mean(Value x, const MeanAxes& axes);
  Value multiply(Value a, Value b) { return combine(a, b, Elementwise::multiply); }
  /// Axis k of the output is axis order[k] of x: 0 the rows, 1 the columns, 2 the channels.
  Value permute(Value x, const std::array<int, 3>& order);
  /// Channel c r^2 + i r + j becomes row i and column j of the r x r pixels of channel c.
  Value pixel_shuffle(Value x, int64_t r);
  /// `output` is [H, W, C] or [features], of as many elements as the map has.
  Value rearrange(Value x, const Rearrangement& map, const Shape& output);
  Value resize_bilinear(Value x, const ResizeOptions& options);
  Value resize_nearest(Value x, const ResizeOptions& options);
  Value scaled(Value x, double factor, double constant = 0);  ///< factor x + constant
  Value shortcut_a(Value x, int64_t filters, int stride);
  Value slice_channels(Value x, int64_t begin, int64_t end);  ///< channels [begin, end)
  Value subtract(Value a, Value b) { return combine(a, b, Elementwise::subtract); }
  Value zero_pad(Value x, const ZeroPadding& padding);

  /// Appends a layer that is not in the list; what the methods above end with. `shape` is that of
  /// one image's output, the parameters come in the order in which the layer is handed them. Throws
  /// Error where an input is not of this graph, or two tensors have one name.
  Value add_layer(std::string name, std::unique_ptr<const Layer> layer,
                  const std::vector<Value>& inputs, Shape shape,
                  const std::vector<ParameterSpec>& parameters = {});
  /// Lets the next layer with parameters read those of an earlier one, which has the same shapes.
  /// Throws Error, as that layer is added, where it does not, or is a BatchNorm, whose statistics
  /// are those of one place.
  void share_parameters(Value owner) { shared_ = owner.node; }
  /// Names a node, and where a user's program makes it. Throws Error where that would rename
  /// parameters.
  void describe(Value x, const std::string& name, const std::string& origin);
  /// Returns "<scope>.<given>", or where that is empty "<scope>.<stem><number>".
  std::string name_in_scope(const std::string& given, const std::string& stem);

  /// Marks the network's logits, [classes]. Throws Error where they are not the last node's vector.
  void set_output(Value x);

  /// Prefixes the names of the nodes made while it lives: {auto s = g.scope("layer1.0"); ...}.
  class [[nodiscard]] Scope {
   public:
    Scope(Graph& graph, const std::string& name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Graph& graph_;
    std::string outer_;
  };
  Scope scope(const std::string& name) { return {*this, name}; }

  const std::vector<Node>& nodes() const { return nodes_; }
  const ParameterLayout& layout() const { return layout_; }
  const Shape& image_shape() const { return nodes_[0].shape; }
  const Shape& shape_of(Value x) const { return nodes_[static_cast<size_t>(x.node)].shape; }
  int output() const;
  int64_t classes() const { return nodes_[static_cast<size_t>(output())].shape.size(); }
  /// Per node, whether another node reads the same parameters.
  std::vector<bool> shares_parameters() const;
  /// Number of nodes that read each node's output.
  std::vector<int> reader_counts() const;
  /// Multiply-accumulates of one image's forward pass (convolutions and linear layers).
  int64_t macs() const;

 private:
  /// Returns the shape [H, W, C]. Throws Error that says `what` needs an image where x is none.
  const Shape& image_shape_of(Value x, std::string_view what) const;
  /// Returns the parameters of the node's parameters_of. Throws Error where they are not these.
  std::vector<int64_t> parameters_like(const Node& node,
                                       const std::vector<ParameterSpec>& parameters) const;
  /// Parameters of a normalisation: gamma and beta of this shape, or none.
  static std::vector<ParameterSpec> scale_and_shift(bool affine, const Shape& shape);
  Value resize(Value x, std::string_view what, bool bilinear, const ResizeOptions& options);
  Value pool(Value x, PoolKind kind, PoolGeometry geometry);
  Value adaptive_pool(Value x, PoolKind kind, int64_t height, int64_t width);

  std::vector<Node> nodes_;
  ParameterLayout layout_;
  std::string prefix_;
  std::map<std::string, int> counters_;  // per scope and kind, for numbered names
  int output_ = -1;
  int shared_ = -1;  // the node whose parameters the next layer reads
};

}  // namespace topograd
