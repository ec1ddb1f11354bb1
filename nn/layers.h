// The layers of the CIFAR zoo, each a thin caller of one operation of kernels/.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/pool/pool.h"
#include "nn/layer.h"

namespace topograd {

/// Parameters: weight [O, K, K, I], then bias [O] where it has one.
class Conv2dLayer : public Layer {
 public:
  Conv2dLayer(ConvGeometry geometry, bool bias) : geometry_(geometry), bias_(bias) {}
  std::string_view kind() const override { return "conv2d"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool takes_still_inputs() const override { return true; }
  const ConvGeometry& geometry() const { return geometry_; }

 private:
  ConvGeometry geometry_;
  bool bias_;
};

/// Parameters: gamma [C], beta [C]. States: mean [C], variance [C].
class BatchnormLayer : public Layer {
 public:
  static constexpr double kEpsilon = 1e-5;  // PyTorch's defaults
  static constexpr double kMomentum = 0.1;

  std::string_view kind() const override { return "batchnorm"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool works_in_place() const override { return true; }
  const BatchnormLayer* as_batchnorm() const override { return this; }

  /// Batch statistics, step by step: a chunk's moments (f64 [2, C]) ...
  void chunk_moments(const Tensor& moments, const Tensor& x, Context& context) const;
  /// ... combined over chunks into batch_stats (mean, variance); running_stats move towards them
  /// unless the span is empty.
  void combine(std::span<const Tensor> batch_stats, std::span<const Tensor> running_stats,
               const Tensor& moments, int64_t count, int64_t count_per_chunk,
               Context& context) const;
  /// The chunk's share of dgamma and dbeta, before backward() can form dx from their totals.
  void backward_sums(const BackwardCall& call, Context& context) const;

  /// The chunk's shares of the sums of x' xhat and of x'.
  void tangent_sums(std::span<const Tensor> shares, const Tensor& x_tangent, const Tensor& x,
                    std::span<const Tensor> running_stats, Context& context) const;
  /// The chunk's shares of dgamma' and dbeta'.
  void backward_tangent_sums(const BackwardCall& call, const BackwardTangents& tangents,
                             Context& context) const;
};

class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(Activation activation) : activation_(activation) {}
  std::string_view kind() const override { return name_of(activation_); }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return activation_ == Activation::gelu; }
  bool backward_reads_output() const override { return activation_ != Activation::gelu; }
  bool works_in_place() const override { return true; }
  Activation activation() const { return activation_; }

 private:
  Activation activation_;
};

/// y = x0 + x1.
class AddLayer : public Layer {
 public:
  std::string_view kind() const override { return "add"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  bool works_in_place() const override { return true; }
};

/// Channels of x0, then channels of x1.
class ConcatLayer : public Layer {
 public:
  std::string_view kind() const override { return "concat"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
};

/// He et al.'s option A: subsample, pad with zero channels, no parameters.
class ShortcutALayer : public Layer {
 public:
  explicit ShortcutALayer(int stride) : stride_(stride) {}
  std::string_view kind() const override { return "shortcut_a"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;

 private:
  int stride_;
};

class PoolLayer : public Layer {
 public:
  PoolLayer(PoolKind kind, PoolGeometry geometry) : kind_(kind), geometry_(geometry) {}
  std::string_view kind() const override {
    return kind_ == PoolKind::max ? "max_pool" : "average_pool";
  }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  bool backward_reads_input() const override { return kind_ == PoolKind::max; }
  bool backward_reads_output() const override { return kind_ == PoolKind::max; }

 private:
  PoolKind kind_;
  PoolGeometry geometry_;
};

/// [H, W, C] to [C].
class GlobalAveragePoolLayer : public Layer {
 public:
  std::string_view kind() const override { return "global_average_pool"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
};

/// y = x w^T + bias. Parameters: weight [O, I], bias [O].
class LinearLayer : public Layer {
 public:
  std::string_view kind() const override { return "linear"; }
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool takes_still_inputs() const override { return true; }
};

}  // namespace topograd
