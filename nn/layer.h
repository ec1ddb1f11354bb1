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
  Tensor y;                            ///< [n, output shape]
  std::span<const Tensor> x;           ///< [n, input shape], one per input
  std::span<const Tensor> parameters;  ///< in the order the layer declared them
  std::span<const Tensor> states;      ///< BatchNorm: the mean and variance to normalise by
  uint64_t weights_version = 0;        ///< see Conv2dForwardArgs
  Rounding rounding = Rounding::tight;
  Precision precision = Precision::f32;  ///< of products' operands
  bool then_relu = false;                ///< BatchNorm: with the ReLU that reads it
};

/// One layer's backward pass over a chunk of n images.
struct BackwardCall {
  std::span<const Tensor> dx;    ///< one per input; undefined where no gradient is wanted
  std::span<const Write> write;  ///< how to write each dx
  Tensor dy;                     ///< [n, output shape]
  std::span<const Tensor> x;     ///< the saved inputs; undefined where the layer needs none
  Tensor y;                      ///< the saved output, likewise
  std::span<const Tensor> parameters;
  std::span<const Tensor> states;
  /// A share of each parameter's gradient, that of one chunk or of several: how to write it.
  std::span<const Tensor> dparameters;
  Write write_parameters = Write::overwrite;  ///< BatchNorm's are always overwritten
  /// BatchNorm on batch statistics: dgamma and dbeta summed over the whole batch, and the number of
  /// elements per channel they were summed over. Empty and 0 where the statistics are constants.
  std::span<const Tensor> batch_dparameters;
  int64_t batch_count = 0;
  uint64_t weights_version = 0;
  Rounding rounding = Rounding::tight;
  Precision precision = Precision::f32;  ///< of products' operands
};

class BatchnormLayer;

class Layer {
 public:
  virtual ~Layer() = default;
  virtual std::string_view kind() const = 0;

  virtual void forward(const ForwardCall& call, Context& context) const = 0;
  virtual void backward(const BackwardCall& call, Context& context) const = 0;

  /// What backward() reads, so that everything else can be overwritten.
  virtual bool backward_reads_input() const { return false; }
  virtual bool backward_reads_output() const { return false; }
  /// Whether y may share the memory of the first input, and the first dx that of dy.
  virtual bool works_in_place() const { return false; }
  /// The one layer that couples the images of a batch.
  virtual const BatchnormLayer* as_batchnorm() const { return nullptr; }
};

}  // namespace topograd
