// Layers: shapes and rules, no weights. A layer is asked to work on a chunk of images at a time,
// with its parameters handed in as views of the flat vector theta.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/core/context.h"
#include "kernels/core/op.h"

namespace topograd {

/// One layer's forward pass over a chunk of n images.
struct ForwardCall {
  Tensor y;                               ///< [n, output shape]
  std::span<const Tensor> x;              ///< [n, input shape], one per input
  std::span<const Tensor> parameters;     ///< in the order the layer declared them
  std::span<const Tensor> running_stats;  ///< BatchNorm: the mean and variance to normalise by
  uint64_t weights_version = 0;           ///< see Conv2dForwardArgs
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< of products' operands
  bool then_relu = false;                ///< BatchNorm: with the ReLU that reads it
};

/// What moves with a layer's forward pass along one direction of theta (Pearlmutter's R-operator: a
/// tangent y' is the derivative of y along it).
struct ForwardTangents {
  Tensor y;                            ///< y', [n, output shape]
  std::span<const Tensor> x;           ///< x', one per input; undefined: see takes_still_inputs
  std::span<const Tensor> parameters;  ///< the direction, like the call's
  /// BatchNorm on batch statistics: the sums of x' xhat and of x' over the batch, and the number of
  /// elements per channel they were summed over. Empty where the statistics are constants.
  std::span<const Tensor> batch_sums;
  int64_t batch_count = 0;
  uint64_t version = 0;  ///< of the parameters' tangents, as weights_version
  Tensor temporary;      ///< [n, output shape], to work in
};

/// One layer's backward pass over a chunk of n images.
struct BackwardCall {
  std::span<const Tensor> dx;    ///< one per input; undefined where no gradient is wanted
  std::span<const Write> write;  ///< how to write each dx
  Tensor dy;                     ///< [n, output shape]
  std::span<const Tensor> x;     ///< the saved inputs; undefined where the layer needs none
  Tensor y;                      ///< the saved output, likewise
  std::span<const Tensor> parameters;
  std::span<const Tensor> running_stats;
  /// A share of each parameter's gradient, that of one chunk or of several: how to write it.
  /// Empty: they are not wanted.
  std::span<const Tensor> dparameters;
  Write write_parameters = Write::overwrite;  ///< BatchNorm's are always overwritten
  /// BatchNorm on batch statistics: dgamma and dbeta summed over the whole batch, and the number of
  /// elements per channel they were summed over. Empty and 0 where the statistics are constants.
  std::span<const Tensor> batch_dparameters;
  int64_t batch_count = 0;
  uint64_t weights_version = 0;
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< of products' operands
};

/// What moves with a layer's backward pass; written the way the call's counterparts are.
struct BackwardTangents {
  std::span<const Tensor> dx;           ///< dx', undefined where the call's is
  Tensor dy;                            ///< dy'
  std::span<const Tensor> x;            ///< x'; undefined: likewise, or the layer needs none
  Tensor y;                             ///< y', where the layer reads its output
  std::span<const Tensor> parameters;   ///< the direction
  std::span<const Tensor> dparameters;  ///< the chunk's shares of the product
  /// BatchNorm on batch statistics: the forward pass's sums, and the product's parts (dgamma' and
  /// dbeta') summed over the whole batch.
  std::span<const Tensor> batch_sums;
  std::span<const Tensor> batch_dparameters;
  uint64_t version = 0;
};

class BatchnormLayer;

class Layer {
 public:
  virtual ~Layer() = default;
  virtual std::string_view kind() const = 0;

  virtual void forward(const ForwardCall& call, Context& context) const = 0;
  virtual void backward(const BackwardCall& call, Context& context) const = 0;

  /// forward(), and y'. This one is for layers that are linear in their inputs and have no
  /// parameters.
  virtual void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                               Context& context) const;
  /// dx' and the shares of the product; then backward(), which may write over what they are made
  /// of. This one, again, is for linear layers.
  virtual void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                                Context& context) const;

  /// What backward() reads, so that everything else can be overwritten.
  virtual bool backward_reads_input() const { return false; }
  virtual bool backward_reads_output() const { return false; }
  /// Whether the tangents' x' may be undefined for what does not move. Elsewhere they are zeros.
  virtual bool takes_still_inputs() const { return false; }
  /// Whether y may share the memory of the first input, and the first dx that of dy.
  virtual bool works_in_place() const { return false; }
  /// The one layer that couples the images of a batch.
  virtual const BatchnormLayer* as_batchnorm() const { return nullptr; }
};

}  // namespace topograd
