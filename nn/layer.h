// Layer: the shapes and rules of one kind of layer, without weights. A layer works on a chunk of
// images at a time, with its parameters handed in as views of the flat vector theta.
//
// A layer is one file in nn/layers/. What the rest of the project wants to know of it, it answers
// itself: everything below forward() and backward() in `class Layer` is a question with a default
// answer that is always safe, or an Error that names the layer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/core/context.h"
#include "kernels/core/op.h"
#include "kernels/core/philox.h"
#include "nn/attributes.h"

namespace topograd {

/// Random numbers of one layer in one training step: a function of the training's seed, the step,
/// the layer and the image, so that neither chunks nor threads decide them.
struct LayerNoise {
  Philox random;
  int64_t first_image = 0;  ///< number of the chunk's first image within the batch
};

/// One layer's forward pass over a chunk of n images.
struct ForwardCall {
  Tensor y;                               ///< [n, output shape]
  std::span<const Tensor> x;              ///< [n, input shape], one per input
  std::span<const Tensor> parameters;     ///< in the order the layer declared them
  std::span<const Tensor> running_stats;  ///< BatchNorm: the mean and variance to normalise by
  uint64_t weights_version = 0;           ///< see Conv2dForwardArgs
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< precision of products' operands
  bool then_relu = false;                ///< BatchNorm: with the ReLU that reads it
  std::optional<LayerNoise> noise = {};  ///< dropout draws from it, and does nothing without
};

/// Tangents of a layer's forward pass along one direction of theta (Pearlmutter's R-operator: the
/// tangent y' is the derivative of y along the direction).
struct ForwardTangents {
  Tensor y;                            ///< y', [n, output shape]
  std::span<const Tensor> x;           ///< x', one per input; undefined: see takes_still_inputs
  std::span<const Tensor> parameters;  ///< the direction, in views like the call's parameters
  /// BatchNorm on batch statistics: the sums of x' xhat and of x' over the batch, and the number of
  /// elements per channel they were summed over. Empty where the statistics are constants.
  std::span<const Tensor> batch_sums;
  int64_t batch_count = 0;
  uint64_t version = 0;  ///< weights_version of the direction
  Tensor temporary;      ///< [n, output shape], to work in
};

/// One layer's backward pass over a chunk of n images.
struct BackwardCall {
  std::span<const Tensor> dx;    ///< one per input; undefined where no gradient is wanted
  std::span<const Write> write;  ///< how to write each dx
  Tensor dy;                     ///< [n, output shape]
  std::span<const Tensor> x;     ///< the saved inputs; undefined where the layer needs none
  Tensor y;                      ///< the saved output; undefined where the layer needs none
  std::span<const Tensor> parameters;
  std::span<const Tensor> running_stats;
  /// Partial gradients of the parameters, over one chunk or several. Empty: they are not wanted.
  std::span<const Tensor> dparameters;
  Write write_parameters = Write::overwrite;  ///< BatchNorm's are always overwritten
  /// BatchNorm on batch statistics: dgamma and dbeta summed over the whole batch, and the number of
  /// elements per channel they were summed over. Empty and 0 where the statistics are constants.
  std::span<const Tensor> batch_dparameters;
  int64_t batch_count = 0;
  uint64_t weights_version = 0;
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< precision of products' operands
  std::optional<LayerNoise> noise = {};  ///< that of the forward pass
};

/// Tangents of a layer's backward pass; each is written the way its counterpart in the call is.
struct BackwardTangents {
  std::span<const Tensor> dx;           ///< dx', undefined where the call's is
  Tensor dy;                            ///< dy'
  std::span<const Tensor> x;            ///< x'; undefined: see takes_still_inputs, or not needed
  Tensor y;                             ///< y', where the layer reads its output
  std::span<const Tensor> parameters;   ///< the direction
  std::span<const Tensor> dparameters;  ///< partial sums of the parameters' part of the product
  /// BatchNorm on batch statistics: the forward pass's sums, and dgamma' and dbeta' summed over the
  /// whole batch.
  std::span<const Tensor> batch_sums;
  std::span<const Tensor> batch_dparameters;
  uint64_t version = 0;
};

/// Returns the channels of an image [H, W, C] or a vector [C]: the last axis.
inline int64_t channels_of(const Shape& image) {
  return image[image.rank() - 1];
}

/// Sources of a layer's output channels among the channels of its inputs. Channels that are one and
/// the same can only be permuted together (landscape/connectivity/channel_groups.h).
struct ChannelMap {
  struct Source {
    size_t input;
    int64_t channel;
  };
  /// Per channel of the output, its sources. Several are tied to one another; a channel with none
  /// is zero whatever the inputs are.
  std::vector<std::vector<Source>> sources;
  /// The output's channels are new ones that no permutation of the inputs' channels changes, and
  /// that stay where they are; `sources` is empty.
  bool fixes_channels = false;
  /// Channels of the output may change places only within one of that many equal runs of them: what
  /// a layer does with a run depends on which channels are in it.
  int64_t runs = 1;
  /// The layer makes new channels instead, and `sources` is empty. Its first parameter is a weight
  /// [outputs, ..., inputs of a group], or [inputs, ..., outputs of a group].
  bool makes_channels = false;
  int64_t groups = 1;  ///< consecutive parts of the outputs, made from such parts of the inputs
  bool inputs_first = false;

  /// Returns the map in which channel c of the output is channel c of the first input.
  static ChannelMap kept(int64_t channels);
  static ChannelMap made(int64_t groups = 1, bool inputs_first = false) {
    return {.sources = {}, .makes_channels = true, .groups = groups, .inputs_first = inputs_first};
  }
  static ChannelMap fixed() { return {.sources = {}, .fixes_channels = true}; }
};

/// Role of a layer in FusedPlan, which runs several layers as one operation (nn/fused_steps.h).
enum class FusionRole {
  none,         ///< runs as it is, through forward()
  convolution,  ///< with conv_geometry(): takes in the BatchNorm, sum and ReLU behind it
  linear,       ///< the same with a linear layer
  batchnorm,
  relu,
  add,
  concat,
};

class BatchnormLayer;

class Layer {
 public:
  virtual ~Layer() = default;
  /// A name for messages: "conv2d".
  virtual std::string_view kind() const = 0;
  /// The name that a graph's file has for it, where that is not the kind.
  virtual std::string_view operation() const { return kind(); }
  /// What makes the layer beside its inputs and weights, as a graph's file has it (nn/graph_file.h).
  virtual Attributes attributes() const { return {}; }

  virtual void forward(const ForwardCall& call, Context& context) const = 0;
  virtual void backward(const BackwardCall& call, Context& context) const = 0;

  /// Runs forward() and computes y'. The default is right for a layer that is linear in its inputs
  /// and has no parameters.
  virtual void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                               Context& context) const;
  /// Computes dx' and the parameters' part of the product, then runs backward(), which may
  /// overwrite what they are computed from. The default, too, is for linear layers without
  /// parameters.
  virtual void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                Context& context) const;

  // Memory. The defaults let a network overwrite whatever it wants.
  /// Whether backward() reads x.
  virtual bool backward_reads_input() const { return false; }
  /// Whether backward() reads y.
  virtual bool backward_reads_output() const { return false; }
  /// Whether tangents' x' may be undefined where the input is the images, whose tangent is zero.
  /// A layer that says no gets zeros.
  virtual bool takes_still_inputs() const { return false; }
  /// Whether y may share the memory of the first input, and the first dx that of dy.
  virtual bool works_in_place() const { return false; }

  /// The layer as a BatchNorm, the one kind that couples the images of a batch; else null.
  virtual const BatchnormLayer* as_batchnorm() const { return nullptr; }

  // Inference.
  /// The layer's part in a fused operation.
  virtual FusionRole fusion_role() const { return FusionRole::none; }
  /// Windows and groups of a convolution.
  virtual ConvGeometry conv_geometry() const { return {}; }

  // What changes a network's weights and leaves its function as it is.
  /// Sources of the output's channels among the inputs'. A layer that does not say has no place in
  /// an alignment: channel_groups() throws an Error that names it.
  virtual std::optional<ChannelMap> channel_map(std::span<const Shape> inputs,
                                                const Shape& output) const;
  /// Whether y = W x + b, with parameters W and, where there is one, b.
  virtual bool is_affine() const { return false; }
  /// Whether all parameters times s are y times s.
  virtual bool scales_with_parameters() const { return is_affine(); }
  /// Whether all inputs times s > 0 are y times s.
  virtual bool is_positively_homogeneous() const { return false; }
};

/// Returns the call with the direction in place of the parameters, and y' in place of y: of a layer
/// that is linear in its parameters, their part of y'.
ForwardCall on_direction(ForwardCall call, const ForwardTangents& tangents);
/// Returns the call with the gradients' tangents in place of the gradients: what is linear in them.
BackwardCall on_tangents(BackwardCall call, const BackwardTangents& tangents);

/// Returns gamma (k = 0) or beta (k = 1) of a normalisation; undefined where it has neither.
inline Tensor scale_or_shift(std::span<const Tensor> parameters, size_t k) {
  return parameters.empty() ? Tensor() : parameters[k];
}

/// Views [n, anything] as a matrix.
Tensor as_matrix(const Tensor& t);

}  // namespace topograd
