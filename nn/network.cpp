#include "nn/network.h"

#include <algorithm>

#include "kernels/core/numbers.h"
#include "kernels/vector/vector.h"
#include "nn/network_pass.h"

namespace topograd {

namespace {

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

/// Number of accumulators of the gradient: as many as chunks, up to 64 or to a GiB, whichever is
/// less, but not below 8.
int64_t accumulators_for(const Graph& graph, int64_t chunks) {
  constexpr int64_t kShareElements = int64_t{1} << 28;
  const int64_t parameters = std::max<int64_t>(1, graph.layout().parameter_count());
  return std::min(chunks, std::clamp<int64_t>(kShareElements / parameters, 8, 64));
}

int64_t chunks_of(int64_t batch, int64_t images_per_chunk) {
  return (batch + images_per_chunk - 1) / images_per_chunk;
}

/// Per parameter, the running statistic in whose place a BatchNorm's sums for it lie: for gamma the
/// mean, for beta the variance; -1 for all parameters but BatchNorms'.
std::vector<int64_t> batchnorm_states(const Graph& graph) {
  std::vector<int64_t> states(graph.layout().parameters().size(), -1);
  for (const Node& node : graph.nodes())
    if (node.layer && node.layer->as_batchnorm())
      for (size_t k = 0; k < node.parameters.size(); ++k)
        states[at(node.parameters[k])] = node.running_stats[k];
  return states;
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
  int64_t widest = 1;
  for (const ParameterEntry& state : layout.running_stats())
    widest = std::max(widest, state.size());
  norm_states_ = batchnorm_states(graph);
  batch_stats_ = memory(layout.state_count());
  moments_ = Tensor({chunks, 2 * widest}, DType::f64, device());
  norm_partials_ = memory(chunks * layout.state_count());
  if (device() == Device::cpu) {
    norm_totals_ = memory(layout.state_count());
    partial_gradients_ = memory(accumulators_for(graph, chunks) * layout.parameter_count());
  } else {
    norm_totals_ = norm_partials_;
    sums_ = Tensor({1, 3}, DType::f64, device());
  }
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
  const int64_t state = norm_states_[at(parameter)];
  if (state >= 0 && !norms_write_gradient_) return norm_partial(norm_partials_, state, chunk);
  return shares_.slice(entry.offset * accumulators_ + chunk % accumulators_ * entry.size(),
                       entry.shape);
}

Tensor Network::norm_partial(const Tensor& partials, int64_t state, int64_t chunk) const {
  const ParameterEntry& entry = graph_.layout().running_stats()[at(state)];
  return partials.slice(entry.offset * chunks_ + chunk * entry.size(), entry.shape);
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
                          const Tensor& running_stats, BatchnormMode mode,
                          const std::optional<StepNoise>& noise) {
  batch_ = x.dim(0);
  require(batch_ > 0 && batch_ <= max_batch_, "a batch of ", batch_,
          " images, in a network with room for ", max_batch_);
  require(x.shape() == batch_shape(batch_, graph_.image_shape()), "images of shape ", x.shape(),
          ", in a network for ", graph_.image_shape());
  require(labels.dim(0) == batch_, labels.dim(0), " labels for ", batch_, " images");
  chunks_ = chunks_of(batch_, options_.images_per_chunk);
  accumulators_ = accumulators_for(graph_, chunks_);
  mode_ = mode;
  weights_version_ = new_weights_version();
  noise_seed_.reset();
  if (noise) {
    const auto words =
        Philox(noise->seed, RandomStream::dropout).words(static_cast<uint64_t>(noise->step));
    noise_seed_ = uint64_t{words[1]} << 32 | words[0];
  }
  labels_ = labels;
  input_ = x;
  parameter_views_ = parameter_views(graph_, theta);
  stats_views_ =
      running_stats_views(graph_, mode == BatchnormMode::batch ? batch_stats_ : running_stats);
}

std::optional<LayerNoise> Network::noise_of(int node, const Chunk& chunk) const {
  if (!noise_seed_) return std::nullopt;
  return LayerNoise{Philox(*noise_seed_, RandomStream::dropout, static_cast<uint32_t>(node)),
                    chunk.begin};
}

void Network::begin_gradient(const Tensor& gradient, bool of_values) {
  const bool one_share = device() != Device::cpu;
  shares_ = one_share ? gradient : partial_gradients_;
  norms_write_gradient_ = one_share && of_values;
}

void Network::forward_node(const Pass& pass, int index, const Chunk& chunk, Context& context) {
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
                         .then_relu = plan_.fuses_relu(index),
                         .noise = noise_of(index, chunk)};
  pass.forward(index, call, chunk, context);
}

void Network::forward_nodes(const Pass& pass, int begin, int end, const Chunk& chunk,
                            Context& context) {
  for (int i = begin; i < end; ++i) forward_node(pass, i, chunk, context);
}

/// Computes again what the plan did not keep (activation checkpointing).
void Network::recompute(const Pass& pass, int phase, const Chunk& chunk, Context& context) {
  const NetworkPlan::Phase& nodes = plan_.phases()[at(phase)];
  for (int i = nodes.begin; i < nodes.end; ++i)
    if (plan_.recomputed(i)) forward_node(pass, i, chunk, context);
}

void Network::loss_of(const Pass& pass, const Chunk& chunk, Context& context) {
  loss_forward({.losses = losses_.rows(chunk.begin, chunk.end),
                .correct = correct_.rows(chunk.begin, chunk.end),
                .logits = value(graph_.output(), chunk, context),
                .labels = labels_.rows(chunk.begin, chunk.end),
                .loss = pass.loss()},
               context);
  if (pass.has_backward()) pass.loss_gradient(chunk, context);
}

/// Runs all phases forward; where a gradient is wanted, the last one backward too, while its values
/// are in the cache.
void Network::forward_pass(const Pass& pass, const Tensor& running_stats, bool keep_running_stats) {
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
      forward_nodes(pass, plan_.phases()[at(first)].begin, norm, chunk, context);
      layer->chunk_moments(moments.slice(chunk.index * 2 * C, {2, C}), value(input, chunk, context),
                           context);
    });
    layer->combine(stats_views_[at(norm)],
                   keep_running_stats ? std::span<const Tensor>() : running_views[at(norm)],
                   moments, elements_per_channel(norm, batch_),
                   elements_per_channel(norm, options_.images_per_chunk), pool_.main_context());
    pass.after_statistics(norm);
    first = p + 1;
  }
  for_each_chunk([&](const Chunk& chunk, Context& context) {
    forward_nodes(pass, plan_.phases()[at(first)].begin, static_cast<int>(graph_.nodes().size()),
                  chunk, context);
    loss_of(pass, chunk, context);
    if (pass.has_backward()) backward_phase(pass, last, chunk, context);
  });
}

/// Runs the nodes of a phase backward, from last to first; before them the input's gradient of the
/// BatchNorm that begins the next phase, after them the sums of the one that begins this phase.
void Network::backward_phase(const Pass& pass, int phase, const Chunk& chunk, Context& context) {
  const std::vector<NetworkPlan::Phase>& phases = plan_.phases();
  const auto& [begin, end, begins_with_norm] = phases[at(phase)];
  if (at(phase) + 1 < phases.size()) backward_node(pass, end, false, chunk, context);
  for (int i = end - 1; i >= begin + (begins_with_norm ? 1 : 0); --i)
    backward_node(pass, i, false, chunk, context);
  if (begins_with_norm && coupling_layer(begin)) backward_node(pass, begin, true, chunk, context);
}

void Network::backward_node(const Pass& pass, int index, bool sums_only, const Chunk& chunk,
                            Context& context) {
  const Node& node = graph_.nodes()[at(index)];
  std::vector<Tensor> dx, x, dparameters, totals;
  for (int input : node.inputs) {
    dx.push_back(input == 0 ? Tensor() : gradient_value(input, chunk, context));
    x.push_back(node.layer->backward_reads_input() ? value(input, chunk, context) : Tensor());
  }
  const bool coupled = coupling_layer(index) != nullptr;
  if (coupled && norms_write_gradient_ && !node.parameters.empty()) {
    for (int64_t p : node.parameters) dparameters.push_back(partial_gradient(p, chunk.index));
    totals = dparameters;
  } else if (coupled) {
    for (int64_t s : node.running_stats) {
      const ParameterEntry& entry = graph_.layout().running_stats()[at(s)];
      dparameters.push_back(norm_partial(norm_partials_, s, chunk.index));
      totals.push_back(norm_totals_.slice(entry.offset, entry.shape));
    }
  } else {
    for (int64_t p : node.parameters) dparameters.push_back(partial_gradient(p, chunk.index));
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
      .write_parameters = chunk.index < accumulators_ && !plan_.adds_to_parameters(index)
                              ? Write::overwrite
                              : Write::accumulate,
      .batch_dparameters = totals,
      .batch_count = coupled ? elements_per_channel(index, batch_) : 0,
      .weights_version = weights_version_,
      .error_budget = options_.error_budget,
      .precision = options_.precision,
      .noise = noise_of(index, chunk)};
  pass.backward(index, sums_only, call, chunk, context);
}

/// Adds up one parameter's partial gradients, in their order; the only one is the gradient.
void Network::sum_partial_gradients(const Pass& pass, int64_t parameter, Context& context) {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  const int64_t state = norm_states_[at(parameter)];
  if (state >= 0 && !norms_write_gradient_)
    return sum_norm_partials(pass.gradient().slice(entry.offset, {entry.size()}),
                             pass.norm_partials(), state, context);
  if (device() != Device::cpu) return;
  sum_rows(
      {.y = pass.gradient().slice(entry.offset, {entry.size()}),
       .x = partial_gradients_.slice(entry.offset * accumulators_, {accumulators_, entry.size()})},
      context);
}

void Network::sum_norm_partials(const Tensor& target, const Tensor& partials, int64_t state,
                                Context& context) {
  const ParameterEntry& entry = graph_.layout().running_stats()[at(state)];
  sum_rows({.y = target, .x = partials.slice(entry.offset * chunks_, {chunks_, entry.size()})},
           context);
}

/// Adds up all partial sums of a BatchNorm; the only ones are the totals.
void Network::sum_norm_partials(const Tensor& totals, const Tensor& partials, const Node& norm,
                                Context& context) {
  if (totals.raw() == partials.raw()) return;
  for (int64_t state : norm.running_stats) {
    const ParameterEntry& entry = graph_.layout().running_stats()[at(state)];
    sum_norm_partials(totals.slice(entry.offset, {entry.size()}), partials, state, context);
  }
}

/// Runs all phases but the last backward.
void Network::backward_pass(const Pass& pass) {
  for (int p = static_cast<int>(plan_.phases().size()) - 1; p > 0; --p) {
    const int norm = plan_.phases()[at(p)].begin;
    if (coupling_layer(norm)) pass.sum_batchnorm(norm);
    for_each_chunk([&](const Chunk& chunk, Context& context) {
      recompute(pass, p - 1, chunk, context);
      backward_phase(pass, p - 1, chunk, context);
    });
  }
  const int64_t parameters = static_cast<int64_t>(graph_.layout().parameters().size());
  pool_.for_each(parameters,
                 [&](int64_t p, Context& context) { sum_partial_gradients(pass, p, context); });
}

void Network::Pass::forward(int node, const ForwardCall& call, const Chunk&,
                            Context& context) const {
  network_.graph_.nodes()[at(node)].layer->forward(call, context);
}

void Network::Pass::after_statistics(int) const {}

void Network::Pass::loss_gradient(const Chunk& chunk, Context& context) const {
  const int output = network_.graph_.output();
  loss_backward({.dlogits = network_.gradient_value(output, chunk, context),
                 .logits = network_.value(output, chunk, context),
                 .labels = network_.labels_.rows(chunk.begin, chunk.end),
                 .loss = loss_,
                 .scale = 1.0 / static_cast<double>(network_.batch_)},
                context);
}

void Network::Pass::backward(int node, bool sums_only, const BackwardCall& call, const Chunk&,
                             Context& context) const {
  if (sums_only)
    network_.coupling_layer(node)->backward_sums(call, context);
  else
    network_.graph_.nodes()[at(node)].layer->backward(call, context);
}

void Network::Pass::sum_batchnorm(int norm) const {
  network_.sum_norm_partials(network_.norm_totals_, network_.norm_partials_,
                             network_.graph_.nodes()[at(norm)], network_.pool_.main_context());
}

void Network::sum_losses() {
  if (!sums_.defined()) return;
  const Shape one{1, batch_};
  loss_sums({.sums = sums_, .losses = losses_.slice(0, one), .correct = correct_.slice(0, one)},
            pool_.main_context());
}

BatchResult Network::result() const {
  BatchResult result;
  if (sums_.defined()) {
    const Tensor here = sums_.to(Device::cpu);
    const double* sums = here.data<double>();
    return {sums[0] / static_cast<double>(batch_), static_cast<int64_t>(sums[2])};
  }
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
                          const Tensor& running_stats, BatchnormMode mode, const Loss& loss,
                          bool keep_running_stats, const std::optional<StepNoise>& noise) {
  begin_batch(x, labels, theta, running_stats, mode, noise);
  forward_pass(Pass(*this, loss, Tensor()), running_stats, keep_running_stats);
  sum_losses();
  return result();
}

BatchResult Network::loss_and_gradient(const Tensor& gradient, const Tensor& x,
                                       const Tensor& labels, const Tensor& theta,
                                       const Tensor& running_stats, BatchnormMode mode,
                                       const Loss& loss, bool keep_running_stats,
                                       const std::optional<StepNoise>& noise,
                                       Recording* recording) {
  require(gradient.size() == theta.size(), "the gradient holds ", gradient.size(),
          " numbers, theta ", theta.size());
  begin_batch(x, labels, theta, running_stats, mode, noise);
  begin_gradient(gradient, /*of_values=*/true);
  const Pass pass(*this, loss, gradient);
  const auto work = [&] {
    forward_pass(pass, running_stats, keep_running_stats);
    backward_pass(pass);
    sum_losses();
  };
  if (recording)
    recording->run(pool_.main_context(), work);
  else
    work();
  return result();
}

}  // namespace topograd
