// Network's products with the Hessian: the passes of network.cpp with everything that moves along a
// direction v beside everything that does not. H v is the derivative of the gradient along v, so
// the formulas are those of the two passes, differentiated layer by layer (nn/layers_tangent.cpp).
#include "kernels/vector/vector.h"
#include "nn/network.h"

namespace topograd {

namespace {

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

}  // namespace

void Network::allocate_tangents() {
  const auto like = [](const std::vector<Tensor>& tensors) {
    std::vector<Tensor> result;
    for (const Tensor& t : tensors) result.emplace_back(t.shape(), t.dtype(), t.device());
    return result;
  };
  int64_t largest = 1;
  for (const Node& node : graph_.nodes()) largest = std::max(largest, node.shape.size());
  const Shape parameters{graph_.layout().parameter_count()};
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
  t.sums = Tensor(parameters, options_.dtype, device());
  t.totals = Tensor(parameters, options_.dtype, device());
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

/// A BatchNorm's sums of x' xhat and x' over the batch, whose statistics are complete.
void Network::sum_tangents(int norm) {
  const Node& node = graph_.nodes()[at(norm)];
  const int input = node.inputs[0];
  for_each_chunk([&](const Chunk& chunk, Context& context) {
    std::vector<Tensor> partials;
    for (int64_t p : node.parameters)
      partials.push_back(norm_partial(norm_partials_, p, chunk.index));
    node.layer->as_batchnorm()->tangent_sums(partials, value_tangent(input, chunk, context),
                                             value(input, chunk, context), stats_views_[at(norm)],
                                             context);
  });
  for (int64_t p : node.parameters)
    sum_norm_partials(tangents_->sums, norm_partials_, p, pool_.main_context());
}

void Network::forward_with_tangent(int index, const ForwardCall& call, const Chunk& chunk,
                                   Context& context) {
  const Node& node = graph_.nodes()[at(index)];
  const bool coupled = coupling_layer(index) != nullptr;
  std::vector<Tensor> x;
  for (int input : node.inputs) {
    const bool still = input == 0 && node.layer->takes_still_inputs();
    x.push_back(still ? Tensor() : value_tangent(input, chunk, context));
  }
  const Tensor y = tangent(plan_.value(index), index, chunk, context);
  node.layer->forward_tangent(
      call,
      {.y = y,
       .x = x,
       .parameters = tangents_->parameter_views[at(index)],
       .batch_sums = coupled ? tangents_->sum_views[at(index)] : std::span<const Tensor>(),
       .batch_count = coupled ? elements_per_channel(index, batch_) : 0,
       .version = tangents_->version,
       .temporary = tangents_->temporary[at(context.worker())].slice(0, y.shape())},
      context);
}

/// What the backward pass begins with: the tangent of the logits' gradient, or for Gauss-Newton the
/// gradient itself, H z' in its place.
void Network::loss_tangent(const Chunk& chunk, LossKind kind, Context& context) {
  const int output = graph_.output();
  const BufferSlot slot = plan_.gradient(output);
  const bool alone = tangents_->gauss_newton;
  loss_curvature({.product = alone ? gradient_value(output, chunk, context)
                                   : tangent(slot, output, chunk, context),
                  .logits_tangent = tangent(plan_.value(output), output, chunk, context),
                  .logits = value(output, chunk, context),
                  .labels = labels_.rows(chunk.begin, chunk.end),
                  .kind = kind,
                  .gauss_newton = alone,
                  .scale = 1.0 / static_cast<double>(batch_)},
                 context);
}

void Network::backward_with_tangent(int index, bool sums_only, const BackwardCall& call,
                                    const Chunk& chunk, Context& context) {
  const Node& node = graph_.nodes()[at(index)];
  const bool coupled = coupling_layer(index) != nullptr;
  std::vector<Tensor> dx, x, partials, products;
  for (int input : node.inputs) {
    dx.push_back(input == 0 ? Tensor() : tangent(plan_.gradient(input), input, chunk, context));
    const bool still = input == 0 && node.layer->takes_still_inputs();
    const bool read = node.layer->backward_reads_input() && !still;
    x.push_back(read ? value_tangent(input, chunk, context) : Tensor());
  }
  for (int64_t p : node.parameters) {
    const ParameterEntry& entry = graph_.layout().parameters()[at(p)];
    const bool norm = norm_offsets_[at(p)] >= 0;
    partials.push_back(norm ? norm_partial(tangents_->norm_partials, p, chunk.index)
                            : partial_gradient(p, chunk.index));
    if (coupled) products.push_back(tangents_->product.slice(entry.offset, entry.shape));
  }
  const BackwardTangents tangents{
      .dx = dx,
      .dy = tangent(plan_.gradient(index), index, chunk, context),
      .x = x,
      .y = node.layer->backward_reads_output() ? tangent(plan_.value(index), index, chunk, context)
                                               : Tensor(),
      .parameters = tangents_->parameter_views[at(index)],
      .dparameters = partials,
      .batch_sums = coupled ? tangents_->sum_views[at(index)] : std::span<const Tensor>(),
      .batch_dparameters = products,
      .version = tangents_->version};
  if (sums_only) {
    coupling_layer(index)->backward_sums(call, context);
    coupling_layer(index)->backward_tangent_sums(call, tangents, context);
    return;
  }
  BackwardCall without_gradient = call;  // of theta, which nobody asks for
  without_gradient.dparameters = {};
  node.layer->backward_tangent(without_gradient, tangents, context);
}

BatchResult Network::curvature_product(const Tensor& product, const Tensor& v, const Tensor& x,
                                       const Tensor& labels, const Tensor& theta,
                                       const Tensor& running_stats, BatchnormMode mode,
                                       LossKind kind, Curvature curvature) {
  require(tangents_.has_value(),
          "this network has no room for tangents: NetworkOptions::curvature");
  require(product.size() == theta.size() && v.size() == theta.size(), "v holds ", v.size(),
          " numbers and the product ", product.size(), ", theta ", theta.size());
  begin_batch(x, labels, theta, running_stats, mode);
  Tangents& t = *tangents_;
  t.parameter_views = topograd::parameter_views(graph_, v);
  t.sum_views = topograd::parameter_views(graph_, t.sums);
  t.version = new_weights_version();
  t.product = product;
  t.gauss_newton = curvature == Curvature::gauss_newton;
  t.forward = true;
  t.backward = !t.gauss_newton;
  struct Reset {
    Tangents& tangents;
    ~Reset() { tangents.forward = tangents.backward = tangents.gauss_newton = false; }
  } const reset{t};
  // BatchNorms' dgamma and dbeta are read where the gradient is looked for; the product's own parts
  // are looked for in t.product.
  forward_pass(running_stats, true, kind, product);
  backward_pass(product);
  return result();
}

}  // namespace topograd
