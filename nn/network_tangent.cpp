// Network's products with the Hessian: passes in which every value has a tangent beside it, its
// derivative along a direction v. H v is the derivative of the gradient along v, so the formulas
// are those of the passes in network.cpp, differentiated layer by layer (Layer::forward_tangent and
// Layer::backward_tangent).
#include "kernels/core/numbers.h"
#include "kernels/vector/vector.h"
#include "nn/network_pass.h"

namespace topograd {

void Network::allocate_tangents() {
  const auto like = [](const std::vector<Tensor>& tensors) {
    std::vector<Tensor> result;
    for (const Tensor& t : tensors) result.emplace_back(t.shape(), t.dtype(), t.device());
    return result;
  };
  int64_t largest = 1;
  for (const Node& node : graph_.nodes()) largest = std::max(largest, node.shape.size());
  const Shape states{graph_.layout().state_count()};
  tangents_ = Tangents();
  Tangents& t = *tangents_;
  t.buffers = like(buffers_);
  t.scratch = like(scratch_);
  for (int worker = 0; worker < pool_.threads(); ++worker)
    t.temporary.emplace_back(Shape{options_.images_per_chunk * largest}, options_.dtype, device());
  t.still =
      Tensor({options_.images_per_chunk * graph_.image_shape().size()}, options_.dtype, device());
  t.still.fill_zero();
  t.norm_partials = Tensor(norm_partials_.shape(), options_.dtype, device());
  t.sums = Tensor(states, options_.dtype, device());
  t.totals = Tensor(states, options_.dtype, device());
}

Tensor Network::tangent(BufferSlot slot, int node, const Chunk& chunk,
                        const Context& context) const {
  const Shape& image = graph_.nodes()[at(node)].shape;
  Shape shape{chunk.end - chunk.begin};
  for (int64_t extent : image) shape.push_back(extent);
  if (slot.kind == BufferSlot::Kind::batch)
    return tangents_->buffers[at(slot.index)].slice(chunk.begin * image.size(), shape);
  return tangents_->scratch[at(context.worker())].slice(slot.index * options_.images_per_chunk,
                                                        shape);
}

Tensor Network::value_tangent(int node, const Chunk& chunk, const Context& context) const {
  if (node == 0) return tangents_->still.slice(0, input_.rows(chunk.begin, chunk.end).shape());
  return tangent(plan_.value(node), node, chunk, context);
}

Network::GaussNewtonPass::GaussNewtonPass(Network& network, const Loss& loss, const Tensor& product)
    : Pass(network, loss, product), tangents_(*network.tangents_) {}

/// Adds up x' xhat and x' of a BatchNorm over the batch.
void Network::GaussNewtonPass::after_statistics(int norm) const {
  Network& n = network_;
  const Node& node = n.graph_.nodes()[at(norm)];
  const int input = node.inputs[0];
  n.for_each_chunk([&](const Chunk& chunk, Context& context) {
    std::vector<Tensor> partials;
    for (int64_t s : node.running_stats)
      partials.push_back(n.norm_partial(n.norm_partials_, s, chunk.index));
    node.layer->as_batchnorm()->tangent_sums(partials, n.value_tangent(input, chunk, context),
                                             n.value(input, chunk, context),
                                             n.stats_views_[at(norm)], context);
  });
  n.sum_norm_partials(tangents_.sums, n.norm_partials_, node, n.pool_.main_context());
}

void Network::GaussNewtonPass::forward(int index, const ForwardCall& call, const Chunk& chunk,
                                       Context& context) const {
  const Network& n = network_;
  const Node& node = n.graph_.nodes()[at(index)];
  const bool coupled = n.coupling_layer(index) != nullptr;
  std::vector<Tensor> x;
  for (int input : node.inputs) {
    const bool still = input == 0 && node.layer->takes_still_inputs();
    x.push_back(still ? Tensor() : n.value_tangent(input, chunk, context));
  }
  const Tensor y = n.tangent(n.plan_.value(index), index, chunk, context);
  node.layer->forward_tangent(
      call,
      {.y = y,
       .x = x,
       .parameters = tangents_.parameter_views[at(index)],
       .batch_sums = coupled ? tangents_.sum_views[at(index)] : std::span<const Tensor>(),
       .batch_count = coupled ? n.elements_per_channel(index, n.batch_) : 0,
       .version = tangents_.version,
       .temporary = tangents_.temporary[at(context.worker())].slice(0, y.shape())},
      context);
}

void Network::GaussNewtonPass::loss_curvature_of(const Tensor& product, const Chunk& chunk,
                                                 bool gauss_newton, Context& context) const {
  const Network& n = network_;
  const int output = n.graph_.output();
  loss_curvature({.product = product,
                  .logits_tangent = n.tangent(n.plan_.value(output), output, chunk, context),
                  .logits = n.value(output, chunk, context),
                  .labels = n.labels_.rows(chunk.begin, chunk.end),
                  .loss = loss(),
                  .gauss_newton = gauss_newton,
                  .scale = 1.0 / static_cast<double>(n.batch_)},
                 context);
}

void Network::GaussNewtonPass::loss_gradient(const Chunk& chunk, Context& context) const {
  loss_curvature_of(network_.gradient_value(network_.graph_.output(), chunk, context), chunk,
                    /*gauss_newton=*/true, context);
}

/// Writes the loss's gradient in the logits, and its tangent.
void Network::HessianPass::loss_gradient(const Chunk& chunk, Context& context) const {
  const int output = network_.graph_.output();
  loss_curvature_of(network_.tangent(network_.plan_.gradient(output), output, chunk, context),
                    chunk, /*gauss_newton=*/false, context);
  Pass::loss_gradient(chunk, context);
}

void Network::HessianPass::backward(int index, bool sums_only, const BackwardCall& call,
                                    const Chunk& chunk, Context& context) const {
  const Network& n = network_;
  const Node& node = n.graph_.nodes()[at(index)];
  const BatchnormLayer* coupled = n.coupling_layer(index);
  std::vector<Tensor> dx, x, partials, products;
  for (int input : node.inputs) {
    dx.push_back(input == 0 ? Tensor() : n.tangent(n.plan_.gradient(input), input, chunk, context));
    const bool still = input == 0 && node.layer->takes_still_inputs();
    const bool read = node.layer->backward_reads_input() && !still;
    x.push_back(read ? n.value_tangent(input, chunk, context) : Tensor());
  }
  if (coupled)
    for (int64_t s : node.running_stats) {
      const ParameterEntry& entry = n.graph_.layout().running_stats()[at(s)];
      partials.push_back(n.norm_partial(tangents_.norm_partials, s, chunk.index));
      products.push_back(tangents_.totals.slice(entry.offset, entry.shape));
    }
  else
    for (int64_t p : node.parameters) {
      const int64_t s = n.norm_states_[at(p)];
      partials.push_back(s >= 0 ? n.norm_partial(tangents_.norm_partials, s, chunk.index)
                                : n.partial_gradient(p, chunk.index));
    }
  const BackwardTangents tangents{
      .dx = dx,
      .dy = n.tangent(n.plan_.gradient(index), index, chunk, context),
      .x = x,
      .y = node.layer->backward_reads_output()
               ? n.tangent(n.plan_.value(index), index, chunk, context)
               : Tensor(),
      .parameters = tangents_.parameter_views[at(index)],
      .dparameters = partials,
      .batch_sums = coupled ? tangents_.sum_views[at(index)] : std::span<const Tensor>(),
      .batch_dparameters = products,
      .version = tangents_.version};
  if (sums_only) {
    coupled->backward_sums(call, context);
    coupled->backward_tangent_sums(call, tangents, context);
    return;
  }
  BackwardCall without_gradient = call;  // of theta, which is not wanted
  without_gradient.dparameters = {};
  node.layer->backward_tangent(without_gradient, tangents, context);
}

/// Adds up the product's sums too: the tangents of dx are computed from both.
void Network::HessianPass::sum_batchnorm(int norm) const {
  Pass::sum_batchnorm(norm);
  network_.sum_norm_partials(tangents_.totals, tangents_.norm_partials,
                             network_.graph_.nodes()[at(norm)], network_.pool_.main_context());
}

BatchResult Network::curvature_product(const Tensor& product, const Tensor& v, const Tensor& x,
                                       const Tensor& labels, const Tensor& theta,
                                       const Tensor& running_stats, BatchnormMode mode,
                                       const Loss& loss, Curvature curvature) {
  require(tangents_.has_value(),
          "this network has no room for tangents: NetworkOptions::curvature");
  require(product.size() == theta.size() && v.size() == theta.size(), "v holds ", v.size(),
          " numbers and the product ", product.size(), ", theta ", theta.size());
  begin_batch(x, labels, theta, running_stats, mode, /*noise=*/{});
  begin_gradient(product, /*of_values=*/false);
  Tangents& t = *tangents_;
  t.parameter_views = topograd::parameter_views(graph_, v);
  t.sum_views = running_stats_views(graph_, t.sums);
  t.version = new_weights_version();
  const auto run = [&](const Pass& pass) {
    forward_pass(pass, running_stats, /*keep_running_stats=*/true);
    backward_pass(pass);
  };
  if (curvature == Curvature::gauss_newton)
    run(GaussNewtonPass(*this, loss, product));
  else
    run(HessianPass(*this, loss, product));
  sum_losses();
  return result();
}

}  // namespace topograd
