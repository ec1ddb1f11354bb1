// BatchnormLayer: the one layer that couples the images of a batch, so that Network has to know it.
#pragma once

#include "nn/layer.h"

namespace topograd {

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
  FusionRole fusion_role() const override { return FusionRole::batchnorm; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool scales_with_parameters() const override { return true; }
};

}  // namespace topograd
