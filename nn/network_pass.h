// Work of Network at each node on its way through a batch: with the values alone, or with the
// values and their tangents.
#pragma once

#include "nn/layers/batchnorm.h"
#include "nn/network.h"

namespace topograd {

/// Values forward and their gradient backward. Network walks over phases, chunks and nodes, and a
/// pass does the work there.
class Network::Pass {
 public:
  /// `gradient` is what the backward pass writes, flat like theta; undefined: there is none.
  Pass(Network& network, const Loss& loss, const Tensor& gradient)
      : network_(network), loss_(loss.to(network.device())), gradient_(gradient) {}
  virtual ~Pass() = default;

  /// The loss, its weights on the network's device.
  const Loss& loss() const { return loss_; }
  bool has_backward() const { return gradient_.defined(); }
  const Tensor& gradient() const { return gradient_; }

  virtual void forward(int node, const ForwardCall& call, const Chunk& chunk,
                       Context& context) const;
  /// Called when the batch's statistics that a BatchNorm normalises by are complete.
  virtual void after_statistics(int norm) const;
  /// Writes what the backward pass begins with, the loss's gradient in the logits of a chunk.
  virtual void loss_gradient(const Chunk& chunk, Context& context) const;
  /// Does a node's part of the backward pass; `sums_only`: only a BatchNorm's partial dgamma and
  /// dbeta.
  virtual void backward(int node, bool sums_only, const BackwardCall& call, const Chunk& chunk,
                        Context& context) const;
  /// Adds up a BatchNorm's dgamma and dbeta over the whole batch.
  virtual void sum_batchnorm(int norm) const;
  /// The chunks' partial sums of what gradient() receives for BatchNorms' parameters.
  virtual const Tensor& norm_partials() const { return network_.norm_partials_; }

 protected:
  Network& network_;

 private:
  Loss loss_;
  Tensor gradient_;
};

/// Values and tangents forward, then the backward pass of the values alone, begun with H z' in
/// place of the loss's gradient (Curvature::gauss_newton).
class Network::GaussNewtonPass : public Pass {
 public:
  GaussNewtonPass(Network& network, const Loss& loss, const Tensor& product);
  void forward(int node, const ForwardCall& call, const Chunk& chunk,
               Context& context) const override;
  void after_statistics(int norm) const override;
  void loss_gradient(const Chunk& chunk, Context& context) const override;

 protected:
  /// Writes product = H z' of a chunk's logits, H the loss's Hessian or its part without negative
  /// curvature.
  void loss_curvature_of(const Tensor& product, const Chunk& chunk, bool gauss_newton,
                         Context& context) const;
  Tangents& tangents_;
};

/// Values and tangents, forward and backward (Curvature::hessian). gradient() is the product, and
/// BatchNorms have sums of their own for it.
class Network::HessianPass : public GaussNewtonPass {
 public:
  using GaussNewtonPass::GaussNewtonPass;
  void loss_gradient(const Chunk& chunk, Context& context) const override;
  void backward(int node, bool sums_only, const BackwardCall& call, const Chunk& chunk,
                Context& context) const override;
  void sum_batchnorm(int norm) const override;
  const Tensor& norm_partials() const override { return tangents_.norm_partials; }
};

}  // namespace topograd
