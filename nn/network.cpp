#include "nn/network.h"

#include <algorithm>

#include "kernels/vector/vector.h"

namespace topograd {

namespace {

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

/// The shape of a batch of n images of this shape.
Shape batch_shape(int64_t n, const Shape& image) {
  Shape shape{n};
  for (int64_t extent : image) shape.push_back(extent);
  return shape;
}

}  // namespace

std::vector<std::vector<Tensor>> parameter_views(const Graph& graph, const Tensor& theta) {
  require(theta.size() == graph.layout().parameter_count(), "theta holds ", theta.size(),
          " numbers, the network has ", graph.layout().parameter_count(), " parameters");
  std::vector<std::vector<Tensor>> views(graph.nodes().size());
  for (size_t i = 0; i < views.size(); ++i)
    for (int64_t p : graph.nodes()[i].parameters) {
      const ParameterEntry& entry = graph.layout().parameters()[at(p)];
      views[i].push_back(theta.slice(entry.offset, entry.shape));
    }
  return views;
}

std::vector<std::vector<Tensor>> running_stats_views(const Graph& graph,
                                                     const Tensor& running_stats) {
  require(running_stats.size() == graph.layout().state_count(), "the states hold ",
          running_stats.size(), " numbers, the network has ", graph.layout().state_count());
  std::vector<std::vector<Tensor>> views(graph.nodes().size());
  for (size_t i = 0; i < views.size(); ++i)
    for (int64_t s : graph.nodes()[i].running_stats) {
      const ParameterEntry& entry = graph.layout().running_stats()[at(s)];
      views[i].push_back(running_stats.slice(entry.offset, entry.shape));
    }
  return views;
}

namespace {

/// How many shares of the gradient there are: as many as chunks, up to 64 or to a GiB, whichever is
/// less, but not below 8.
int64_t accumulators_for(const Graph& graph, int64_t chunks) {
  constexpr int64_t kShareElements = int64_t{1} << 28;
  const int64_t parameters = std::max<int64_t>(1, graph.layout().parameter_count());
  return std::min(chunks, std::clamp<int64_t>(kShareElements / parameters, 8, 64));
}

int64_t chunks_of(int64_t batch, int64_t images_per_chunk) {
  return (batch + images_per_chunk - 1) / images_per_chunk;
}

bool is_norm(const ParameterEntry& entry) {
  return entry.kind == ParameterKind::norm_scale || entry.kind == ParameterKind::norm_shift;
}

}  // namespace

Network::Network(const Graph& graph, int64_t max_batch, ThreadPool& pool, NetworkOptions options)
    : graph_(graph), pool_(pool), options_(options), max_batch_(max_batch), plan_(graph) {
  require(max_batch > 0, "a network needs room for at least one image, got ", max_batch);
  require(options.images_per_chunk > 0, "images_per_chunk is ", options.images_per_chunk);
  // A GPU has no cache to fill with a chunk, and fills itself with whole batches.
  if (device() != Device::cpu) options_.images_per_chunk = max_batch;
  options_.images_per_chunk = std::min(options_.images_per_chunk, max_batch);
  const auto memory = [&](int64_t elements) {
    return Tensor({elements}, options_.dtype, device());
  };
  for (int64_t size : plan_.batch_buffers()) buffers_.push_back(memory(max_batch * size));
  for (int worker = 0; worker < pool.threads(); ++worker)
    scratch_.push_back(memory(options_.images_per_chunk * plan_.scratch()));
  const ParameterLayout& layout = graph.layout();
  const int64_t chunks = chunks_of(max_batch, options_.images_per_chunk);
  int64_t widest = 1, norms = 0;
  for (const ParameterEntry& state : layout.running_stats())
    widest = std::max(widest, state.size());
  for (const ParameterEntry& entry : layout.parameters()) {
    norm_offsets_.push_back(is_norm(entry) ? norms : -1);
    if (is_norm(entry)) norms += entry.size();
  }
  batch_stats_ = memory(layout.state_count());
  moments_ = Tensor({chunks, 2 * widest}, DType::f64, device());
  norm_partials_ = memory(chunks * norms);
  partial_gradients_ = memory(accumulators_for(graph, chunks) * layout.parameter_count());
  losses_ = memory(max_batch);
  correct_ = Tensor({max_batch}, DType::i32, device());
  if (options_.curvature) allocate_tangents();
}

int64_t Network::bytes_needed(const Graph& graph, int64_t batch, int threads,
                              const NetworkOptions& options) {
  const NetworkPlan plan(graph);
  const int64_t chunk = std::min(batch, options.images_per_chunk);
  int64_t elements =
      graph.image_shape().size() * batch + threads * chunk * plan.scratch() +
      accumulators_for(graph, chunks_of(batch, chunk)) * graph.layout().parameter_count();
  for (int64_t size : plan.batch_buffers()) elements += batch * size;
  if (options.curvature) elements *= 2;
  return elements * bytes_of(options.dtype);
}

const BatchnormLayer* Network::coupling_layer(int node) const {
  const Layer* layer = graph_.nodes()[at(node)].layer.get();
  return mode_ == BatchnormMode::batch && layer ? layer->as_batchnorm() : nullptr;
}

Tensor Network::in_slot(BufferSlot slot, int node, const Chunk& chunk, int worker) const {
  const Shape& image = graph_.nodes()[at(node)].shape;
  const Shape shape = batch_shape(chunk.end - chunk.begin, image);
  if (slot.kind == BufferSlot::Kind::batch)
    return buffers_[at(slot.index)].slice(chunk.begin * image.size(), shape);
  return scratch_[at(worker)].slice(slot.index * options_.images_per_chunk, shape);
}

Tensor Network::value(int node, const Chunk& chunk, const Context& context) const {
  if (node == 0) return input_.rows(chunk.begin, chunk.end);
  return in_slot(plan_.value(node), node, chunk, context.worker());
}

Tensor Network::gradient_value(int node, const Chunk& chunk, const Context& context) const {
  return in_slot(plan_.gradient(node), node, chunk, context.worker());
}

Tensor Network::partial_gradient(int64_t parameter, int64_t chunk) const {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  const int64_t norm = norm_offsets_[at(parameter)];
  if (norm >= 0) return norm_partial(norm_partials_, parameter, chunk);
  return partial_gradients_.slice(
      entry.offset * accumulators_ + chunk % accumulators_ * entry.size(), entry.shape);
}

Tensor Network::norm_partial(const Tensor& partials, int64_t parameter, int64_t chunk) const {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  return partials.slice(norm_offsets_[at(parameter)] * chunks_ + chunk * entry.size(), entry.shape);
}

int64_t Network::elements_per_channel(int node, int64_t images) const {
  const Shape& shape = graph_.nodes()[at(node)].shape;
  return images * (shape.size() / shape[shape.rank() - 1]);
}

void Network::for_each_chunk(const std::function<void(const Chunk&, Context&)>& work) {
  pool_.for_each(accumulators_, [&](int64_t lane, Context& context) {
    for (int64_t k = lane; k < chunks_; k += accumulators_) {
      const int64_t begin = k * options_.images_per_chunk;
      work({k, begin, std::min(batch_, begin + options_.images_per_chunk)}, context);
    }
  });
}

void Network::begin_batch(const Tensor& x, const Tensor& labels, const Tensor& theta,
                          const Tensor& running_stats, BatchnormMode mode) {
  batch_ = x.dim(0);
  require(batch_ > 0 && batch_ <= max_batch_, "a batch of ", batch_,
          " images, in a network with room for ", max_batch_);
  require(x.shape() == batch_shape(batch_, graph_.image_shape()), "images of shape ", x.shape(),
          ", in a network for ", graph_.image_shape());
  require(labels.shape() == Shape{batch_} && labels.dtype() == DType::i32, "labels must be i32 ",
          Shape{batch_}, ", got ", labels.shape());
  chunks_ = chunks_of(batch_, options_.images_per_chunk);
  accumulators_ = accumulators_for(graph_, chunks_);
  mode_ = mode;
  weights_version_ = new_weights_version();
  labels_ = labels;
  input_ = x;
  parameter_views_ = parameter_views(graph_, theta);
  stats_views_ =
      running_stats_views(graph_, mode == BatchnormMode::batch ? batch_stats_ : running_stats);
}

void Network::forward_node(int index, const Chunk& chunk, Context& context) {
  if (plan_.fused_into_batchnorm(index)) return;
  const Node& node = graph_.nodes()[at(index)];
  std::vector<Tensor> x;
  for (int input : node.inputs) x.push_back(value(input, chunk, context));
  const ForwardCall call{.y = value(index, chunk, context),
                         .x = x,
                         .parameters = parameter_views_[at(index)],
                         .running_stats = stats_views_[at(index)],
                         .weights_version = weights_version_,
                         .error_budget = options_.error_budget,
                         .precision = options_.precision,
                         .then_relu = plan_.fuses_relu(index)};
  if (tangents_ && tangents_->forward)
    forward_with_tangent(index, call, chunk, context);
  else
    node.layer->forward(call, context);
}

void Network::forward_nodes(int begin, int end, const Chunk& chunk, Context& context) {
  for (int i = begin; i < end; ++i) forward_node(i, chunk, context);
}

void Network::recompute(int phase, const Chunk& chunk, Context& context) {
  const NetworkPlan::Phase& nodes = plan_.phases()[at(phase)];
  for (int i = nodes.begin; i < nodes.end; ++i)
    if (plan_.recomputed(i)) forward_node(i, chunk, context);
}

void Network::loss_of(const Chunk& chunk, LossKind kind, bool gradient_too, Context& context) {
  const Tensor logits = value(graph_.output(), chunk, context);
  const Tensor labels = labels_.rows(chunk.begin, chunk.end);
  loss_forward({.losses = losses_.rows(chunk.begin, chunk.end),
                .correct = correct_.rows(chunk.begin, chunk.end),
                .logits = logits,
                .labels = labels,
                .kind = kind,
                .label_smoothing = options_.label_smoothing},
               context);
  if (tangents_ && tangents_->forward) loss_tangent(chunk, kind, context);
  if (gradient_too && !(tangents_ && tangents_->gauss_newton))
    loss_backward({.dlogits = gradient_value(graph_.output(), chunk, context),
                   .logits = logits,
                   .labels = labels,
                   .kind = kind,
                   .label_smoothing = options_.label_smoothing,
                   .scale = 1.0 / static_cast<double>(batch_)},
                  context);
}

/// All phases; where a gradient is wanted, the last one's backward pass too, while its values are
/// there.
void Network::forward_pass(const Tensor& running_stats, bool keep_running_stats, LossKind kind,
                           const Tensor& gradient) {
  const auto running_views = running_stats_views(graph_, running_stats);
  const int last = static_cast<int>(plan_.phases().size()) - 1;
  int first = 0;  // of the phases that have not begun
  for (int p = 0; p < last; ++p) {
    const int norm = plan_.phases()[at(p + 1)].begin;
    const BatchnormLayer* layer = coupling_layer(norm);
    if (!layer) continue;
    const int input = graph_.nodes()[at(norm)].inputs[0];
    const int64_t C = stats_views_[at(norm)][0].size();
    const Tensor moments = moments_.slice(0, {chunks_, 2, C});
    for_each_chunk([&](const Chunk& chunk, Context& context) {
      forward_nodes(plan_.phases()[at(first)].begin, norm, chunk, context);
      layer->chunk_moments(moments.slice(chunk.index * 2 * C, {2, C}), value(input, chunk, context),
                           context);
    });
    layer->combine(stats_views_[at(norm)],
                   keep_running_stats ? std::span<const Tensor>() : running_views[at(norm)],
                   moments, elements_per_channel(norm, batch_),
                   elements_per_channel(norm, options_.images_per_chunk), pool_.main_context());
    if (tangents_ && tangents_->forward) sum_tangents(norm);
    first = p + 1;
  }
  for_each_chunk([&](const Chunk& chunk, Context& context) {
    forward_nodes(plan_.phases()[at(first)].begin, static_cast<int>(graph_.nodes().size()), chunk,
                  context);
    loss_of(chunk, kind, gradient.defined(), context);
    if (gradient.defined()) backward_phase(last, gradient, chunk, context);
  });
}

/// The nodes of a phase, from last to first; before them the input's gradient of the BatchNorm that
/// begins the next phase, after them the sums of the one that begins this phase.
void Network::backward_phase(int phase, const Tensor& gradient, const Chunk& chunk,
                             Context& context) {
  const std::vector<NetworkPlan::Phase>& phases = plan_.phases();
  const auto& [begin, end, begins_with_norm] = phases[at(phase)];
  if (at(phase) + 1 < phases.size()) backward_node(end, false, gradient, chunk, context);
  for (int i = end - 1; i >= begin + (begins_with_norm ? 1 : 0); --i)
    backward_node(i, false, gradient, chunk, context);
  if (begins_with_norm && coupling_layer(begin))
    backward_node(begin, true, gradient, chunk, context);
}

void Network::backward_node(int index, bool sums_only, const Tensor& gradient, const Chunk& chunk,
                            Context& context) {
  const Node& node = graph_.nodes()[at(index)];
  std::vector<Tensor> dx, x, dparameters, totals;
  for (int input : node.inputs) {
    dx.push_back(input == 0 ? Tensor() : gradient_value(input, chunk, context));
    x.push_back(node.layer->backward_reads_input() ? value(input, chunk, context) : Tensor());
  }
  const bool coupled = coupling_layer(index) != nullptr;
  const Tensor& of_batch = tangents_ && tangents_->backward ? tangents_->totals : gradient;
  for (int64_t p : node.parameters) {
    const ParameterEntry& entry = graph_.layout().parameters()[at(p)];
    dparameters.push_back(partial_gradient(p, chunk.index));
    if (coupled) totals.push_back(of_batch.slice(entry.offset, entry.shape));
  }
  const BackwardCall call{
      .dx = dx,
      .write = plan_.writes(index),
      .dy = gradient_value(index, chunk, context),
      .x = x,
      .y = node.layer->backward_reads_output() ? value(index, chunk, context) : Tensor(),
      .parameters = parameter_views_[at(index)],
      .running_stats = stats_views_[at(index)],
      .dparameters = dparameters,
      .write_parameters = chunk.index < accumulators_ ? Write::overwrite : Write::accumulate,
      .batch_dparameters = totals,
      .batch_count = coupled ? elements_per_channel(index, batch_) : 0,
      .weights_version = weights_version_,
      .error_budget = options_.error_budget,
      .precision = options_.precision};
  if (tangents_ && tangents_->backward)
    backward_with_tangent(index, sums_only, call, chunk, context);
  else if (sums_only)
    coupling_layer(index)->backward_sums(call, context);
  else
    node.layer->backward(call, context);
}

/// gradient of one parameter = the sum of its shares, in their order.
void Network::sum_partial_gradients(const Tensor& gradient, int64_t parameter, Context& context) {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  const bool tangent = tangents_ && tangents_->backward;
  if (norm_offsets_[at(parameter)] >= 0)
    return sum_norm_partials(gradient, tangent ? tangents_->norm_partials : norm_partials_,
                             parameter, context);
  sum_rows(
      {.y = gradient.slice(entry.offset, {entry.size()}),
       .x = partial_gradients_.slice(entry.offset * accumulators_, {accumulators_, entry.size()})},
      context);
}

void Network::sum_norm_partials(const Tensor& target, const Tensor& partials, int64_t parameter,
                                Context& context) {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  const int64_t begin = norm_offsets_[at(parameter)] * chunks_;
  sum_rows({.y = target.slice(entry.offset, {entry.size()}),
            .x = partials.slice(begin, {chunks_, entry.size()})},
           context);
}

/// A BatchNorm's dgamma and dbeta over the whole batch.
void Network::sum_norm(int node, const Tensor& gradient) {
  for (int64_t parameter : graph_.nodes()[at(node)].parameters) {
    sum_partial_gradients(gradient, parameter, pool_.main_context());
    if (tangents_ && tangents_->backward)
      sum_norm_partials(tangents_->totals, norm_partials_, parameter, pool_.main_context());
  }
}

/// All phases but the last.
void Network::backward_pass(const Tensor& gradient) {
  for (int p = static_cast<int>(plan_.phases().size()) - 1; p > 0; --p) {
    const int norm = plan_.phases()[at(p)].begin;
    if (coupling_layer(norm)) sum_norm(norm, gradient);
    for_each_chunk([&](const Chunk& chunk, Context& context) {
      recompute(p - 1, chunk, context);
      backward_phase(p - 1, gradient, chunk, context);
    });
  }
  const int64_t parameters = static_cast<int64_t>(graph_.layout().parameters().size());
  pool_.for_each(parameters,
                 [&](int64_t p, Context& context) { sum_partial_gradients(gradient, p, context); });
}

BatchResult Network::result() const {
  BatchResult result;
  const Tensor losses = losses_.rows(0, batch_).to(Device::cpu);
  const Tensor correct = correct_.rows(0, batch_).to(Device::cpu);
  with_real_type(options_.dtype, [&](auto real) {
    for (int64_t i = 0; i < batch_; ++i) {
      result.loss += static_cast<double>(losses.data<decltype(real)>()[i]);
      result.correct += correct.data<int32_t>()[i];
    }
  });
  result.loss /= static_cast<double>(batch_);
  return result;
}

BatchResult Network::loss(const Tensor& x, const Tensor& labels, const Tensor& theta,
                          const Tensor& running_stats, BatchnormMode mode, LossKind kind,
                          bool keep_running_stats) {
  begin_batch(x, labels, theta, running_stats, mode);
  forward_pass(running_stats, keep_running_stats, kind, Tensor());
  return result();
}

BatchResult Network::loss_and_gradient(const Tensor& gradient, const Tensor& x,
                                       const Tensor& labels, const Tensor& theta,
                                       const Tensor& running_stats, BatchnormMode mode,
                                       LossKind kind, bool keep_running_stats) {
  require(gradient.size() == theta.size(), "the gradient holds ", gradient.size(),
          " numbers, theta ", theta.size());
  begin_batch(x, labels, theta, running_stats, mode);
  forward_pass(running_stats, keep_running_stats, kind, gradient);
  backward_pass(gradient);
  return result();
}

}  // namespace topograd
