// BatchnormLayer: the one layer that couples the images of a batch, so that Network has to know it.
#pragma once

#include "nn/layer.h"

namespace topograd {

/// Batch normalisation. Parameters: gamma [C], beta [C], or none. Running statistics: mean [C],
/// variance [C]. Where a call has dparameters for a layer without parameters, they are the sums
/// that dx is formed from.
class BatchnormLayer : public Layer {
 public:
  BatchnormLayer(double epsilon, double momentum, bool affine)
      : epsilon_(epsilon), momentum_(momentum), affine_(affine) {}
  double epsilon() const { return epsilon_; }
  double momentum() const { return momentum_; }

  std::string_view kind() const override { return "batchnorm"; }
  Attributes attributes() const override;
  void forward(const ForwardCall& call, Context& context) const override;
  void backward(const BackwardCall& call, Context& context) const override;
  void forward_tangent(const ForwardCall& call, const ForwardTangents& tangents,
                       Context& context) const override;
  void backward_tangent(const BackwardCall& call, const BackwardTangents& tangents,
                        Context& context) const override;
  bool backward_reads_input() const override { return true; }
  bool works_in_place() const override { return true; }
  const BatchnormLayer* as_batchnorm() const override { return this; }

  /// Writes a chunk's moments, f64 [2, C]: the first step towards the statistics of a batch.
  void chunk_moments(const Tensor& moments, const Tensor& x, Context& context) const;
  /// Combines the chunks' moments into batch_stats (mean, variance); running_stats move towards
  /// them unless the span is empty.
  void combine(std::span<const Tensor> batch_stats, std::span<const Tensor> running_stats,
               const Tensor& moments, int64_t count, int64_t count_per_chunk,
               Context& context) const;
  /// Writes the chunk's partial dgamma and dbeta, from whose totals backward() then forms dx.
  void backward_sums(const BackwardCall& call, Context& context) const;

  /// Writes the chunk's partial sums of x' xhat and of x'.
  void tangent_sums(std::span<const Tensor> partials, const Tensor& x_tangent, const Tensor& x,
                    std::span<const Tensor> running_stats, Context& context) const;
  /// Writes the chunk's partial sums dgamma' and dbeta'.
  void backward_tangent_sums(const BackwardCall& call, const BackwardTangents& tangents,
                             Context& context) const;
  FusionRole fusion_role() const override { return FusionRole::batchnorm; }
  std::optional<ChannelMap> channel_map(std::span<const Shape>, const Shape& y) const override {
    return ChannelMap::kept(channels_of(y));
  }
  bool scales_with_parameters() const override { return affine_; }

 private:
  double epsilon_, momentum_;
  bool affine_;
};

}  // namespace topograd
