#include "nn/network.h"

#include <algorithm>
#include <map>

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

std::vector<std::vector<Tensor>> state_views(const Graph& graph, const Tensor& states) {
  require(states.size() == graph.layout().state_count(), "the states hold ", states.size(),
          " numbers, the network has ", graph.layout().state_count());
  std::vector<std::vector<Tensor>> views(graph.nodes().size());
  for (size_t i = 0; i < views.size(); ++i)
    for (int64_t s : graph.nodes()[i].states) {
      const ParameterEntry& entry = graph.layout().states()[at(s)];
      views[i].push_back(states.slice(entry.offset, entry.shape));
    }
  return views;
}

Network::Network(const Graph& graph, int64_t max_batch, ThreadPool& pool, NetworkOptions options)
    : graph_(graph), pool_(pool), options_(options), max_batch_(max_batch) {
  require(max_batch > 0, "a network needs room for at least one image, got ", max_batch);
  require(options.images_per_chunk > 0, "images_per_chunk is ", options.images_per_chunk);
  // A GPU has no cache to fill with a chunk, and fills itself with whole batches.
  if (device() != Device::cpu) options_.images_per_chunk = max_batch;
  plan_values(max_batch);
  plan_gradients(max_batch);
  const int64_t chunks = (max_batch + options_.images_per_chunk - 1) / options_.images_per_chunk;
  int64_t widest = 1;
  for (const ParameterEntry& state : graph.layout().states())
    widest = std::max(widest, state.size());
  batch_states_ = Tensor({graph.layout().state_count()}, options.dtype, device());
  moments_ = Tensor({chunks, 2 * widest}, DType::f64, device());
  shares_ = Tensor({chunks * graph.layout().parameter_count()}, options.dtype, device());
  losses_ = Tensor({max_batch}, options.dtype, device());
  correct_ = Tensor({max_batch}, DType::i32, device());
}

/// One tensor per node, except where a node may overwrite its first input: nobody else reads that,
/// and neither backward pass needs it.
void Network::plan_values(int64_t max_batch) {
  const std::vector<Node>& nodes = graph_.nodes();
  const std::vector<int> readers = graph_.reader_counts();
  values_.resize(nodes.size());
  for (size_t i = 1; i < nodes.size(); ++i) {
    const Layer& layer = *nodes[i].layer;
    const int input = nodes[i].inputs[0];
    const Node& producer = nodes[at(input)];
    const bool overwrite = layer.works_in_place() && !layer.backward_reads_input() && input != 0 &&
                           readers[at(input)] == 1 && producer.shape == nodes[i].shape &&
                           !producer.layer->backward_reads_output();
    values_[i] = overwrite
                     ? values_[at(input)]
                     : Tensor(batch_shape(max_batch, nodes[i].shape), options_.dtype, device());
  }
}

/// Walks the backward pass once: the first gradient to reach a value overwrites, later ones add up;
/// memory goes back to a pool when its node is done, or on to the input of a layer that works in
/// place.
void Network::plan_gradients(int64_t max_batch) {
  const std::vector<Node>& nodes = graph_.nodes();
  gradients_.resize(nodes.size());
  writes_.resize(nodes.size());
  std::map<int64_t, std::vector<Tensor>> free;  // by size of one image
  const auto allocate = [&](const Shape& image) {
    std::vector<Tensor>& list = free[image.size()];
    if (list.empty()) return Tensor(batch_shape(max_batch, image), options_.dtype, device());
    const Tensor t = list.back().reshaped(batch_shape(max_batch, image));
    list.pop_back();
    return t;
  };
  gradients_[at(graph_.output())] = allocate(nodes[at(graph_.output())].shape);
  for (size_t i = nodes.size() - 1; i >= 1; --i) {
    const Node& node = nodes[i];
    if (!gradients_[i].defined()) gradients_[i] = allocate(node.shape);
    bool handed_on = false;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const int input = node.inputs[k];
      const bool first = input != 0 && !gradients_[at(input)].defined();
      writes_[i].push_back(input == 0 || first ? Write::overwrite : Write::accumulate);
      if (!first) continue;
      handed_on = handed_on || (k == 0 && node.layer->works_in_place());
      gradients_[at(input)] =
          k == 0 && node.layer->works_in_place() ? gradients_[i] : allocate(nodes[at(input)].shape);
    }
    if (!handed_on) free[node.shape.size()].push_back(gradients_[i]);
  }
}

const BatchnormLayer* Network::coupling_layer(int node) const {
  const Layer* layer = graph_.nodes()[at(node)].layer.get();
  return mode_ == BatchnormMode::batch && layer ? layer->as_batchnorm() : nullptr;
}

Tensor Network::value(int node, const Chunk& chunk) const {
  return values_[at(node)].rows(chunk.begin, chunk.end);
}

Tensor Network::gradient_value(int node, const Chunk& chunk) const {
  return gradients_[at(node)].rows(chunk.begin, chunk.end);
}

Tensor Network::share(int64_t parameter, int64_t chunk) const {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  return shares_.slice(entry.offset * chunks_ + chunk * entry.size(), entry.shape);
}

int64_t Network::elements_per_channel(int node, int64_t images) const {
  const Shape& shape = graph_.nodes()[at(node)].shape;
  return images * (shape.size() / shape[shape.rank() - 1]);
}

void Network::for_each_chunk(const std::function<void(const Chunk&, Context&)>& work) {
  pool_.for_each(chunks_, [&](int64_t k, Context& context) {
    const int64_t begin = k * options_.images_per_chunk;
    work({k, begin, std::min(batch_, begin + options_.images_per_chunk)}, context);
  });
}

void Network::begin_batch(const Tensor& x, const Tensor& labels, const Tensor& theta,
                          const Tensor& states, BatchnormMode mode) {
  batch_ = x.dim(0);
  require(batch_ > 0 && batch_ <= max_batch_, "a batch of ", batch_,
          " images, in a network with room for ", max_batch_);
  require(x.shape() == batch_shape(batch_, graph_.image_shape()), "images of shape ", x.shape(),
          ", in a network for ", graph_.image_shape());
  require(labels.shape() == Shape{batch_} && labels.dtype() == DType::i32, "labels must be i32 ",
          Shape{batch_}, ", got ", labels.shape());
  chunks_ = (batch_ + options_.images_per_chunk - 1) / options_.images_per_chunk;
  mode_ = mode;
  weights_version_ = new_weights_version();
  labels_ = labels;
  values_[0] = x;
  parameter_views_ = parameter_views(graph_, theta);
  state_views_ = state_views(graph_, mode == BatchnormMode::batch ? batch_states_ : states);
}

void Network::forward_nodes(int begin, int end, const Chunk& chunk, Context& context) {
  std::vector<Tensor> x;
  for (int i = begin; i < end; ++i) {
    const Node& node = graph_.nodes()[at(i)];
    x.clear();
    for (int input : node.inputs) x.push_back(value(input, chunk));
    node.layer->forward({.y = value(i, chunk),
                         .x = x,
                         .parameters = parameter_views_[at(i)],
                         .states = state_views_[at(i)],
                         .weights_version = weights_version_,
                         .rounding = options_.rounding},
                        context);
  }
}

void Network::forward(const Tensor& running_states, bool states_fixed, LossKind kind) {
  const int count = static_cast<int>(graph_.nodes().size());
  const auto running_views = state_views(graph_, running_states);
  int begin = 1;
  for (int i = 1; i < count; ++i) {
    const BatchnormLayer* layer = coupling_layer(i);
    if (!layer) continue;
    const int input = graph_.nodes()[at(i)].inputs[0];
    const int64_t C = state_views_[at(i)][0].size();
    const Tensor moments = moments_.slice(0, {chunks_, 2, C});
    for_each_chunk([&](const Chunk& chunk, Context& context) {
      forward_nodes(begin, i, chunk, context);
      layer->chunk_moments(moments.slice(chunk.index * 2 * C, {2, C}), value(input, chunk),
                           context);
    });
    layer->combine(state_views_[at(i)],
                   states_fixed ? std::span<const Tensor>() : running_views[at(i)], moments,
                   elements_per_channel(i, batch_),
                   elements_per_channel(i, options_.images_per_chunk), pool_.main_context());
    begin = i;
  }
  for_each_chunk([&](const Chunk& chunk, Context& context) {
    forward_nodes(begin, count, chunk, context);
    loss_forward({.losses = losses_.rows(chunk.begin, chunk.end),
                  .correct = correct_.rows(chunk.begin, chunk.end),
                  .logits = value(graph_.output(), chunk),
                  .labels = labels_.rows(chunk.begin, chunk.end),
                  .kind = kind,
                  .label_smoothing = options_.label_smoothing},
                 context);
  });
}

void Network::backward_node(int index, bool sums_only, const Tensor& gradient, const Chunk& chunk,
                            Context& context) {
  const Node& node = graph_.nodes()[at(index)];
  std::vector<Tensor> dx, x, dparameters, totals;
  for (int input : node.inputs) {
    dx.push_back(input == 0 ? Tensor() : gradient_value(input, chunk));
    x.push_back(node.layer->backward_reads_input() ? value(input, chunk) : Tensor());
  }
  const bool coupled = coupling_layer(index) != nullptr;
  for (int64_t p : node.parameters) {
    const ParameterEntry& entry = graph_.layout().parameters()[at(p)];
    dparameters.push_back(share(p, chunk.index));
    if (coupled) totals.push_back(gradient.slice(entry.offset, entry.shape));
  }
  const BackwardCall call{.dx = dx,
                          .write = writes_[at(index)],
                          .dy = gradient_value(index, chunk),
                          .x = x,
                          .y = node.layer->backward_reads_output() ? value(index, chunk) : Tensor(),
                          .parameters = parameter_views_[at(index)],
                          .states = state_views_[at(index)],
                          .dparameters = dparameters,
                          .batch_dparameters = totals,
                          .batch_count = coupled ? elements_per_channel(index, batch_) : 0,
                          .weights_version = weights_version_,
                          .rounding = options_.rounding};
  if (sums_only)
    coupling_layer(index)->backward_sums(call, context);
  else
    node.layer->backward(call, context);
}

void Network::backward_nodes(int begin, int end, const Tensor& gradient, const Chunk& chunk,
                             Context& context) {
  for (int i = end - 1; i >= begin; --i) backward_node(i, false, gradient, chunk, context);
}

/// gradient of one parameter = the sum of the chunks' shares, in chunk order.
void Network::sum_shares(const Tensor& gradient, int64_t parameter, Context& context) {
  const ParameterEntry& entry = graph_.layout().parameters()[at(parameter)];
  sum_rows({.y = gradient.slice(entry.offset, {entry.size()}),
            .x = shares_.slice(entry.offset * chunks_, {chunks_, entry.size()})},
           context);
}

void Network::backward(const Tensor& gradient, LossKind kind) {
  const int count = static_cast<int>(graph_.nodes().size());
  const auto loss_gradient = [&](const Chunk& chunk, Context& context) {
    loss_backward({.dlogits = gradient_value(graph_.output(), chunk),
                   .logits = value(graph_.output(), chunk),
                   .labels = labels_.rows(chunk.begin, chunk.end),
                   .kind = kind,
                   .label_smoothing = options_.label_smoothing,
                   .scale = 1.0 / static_cast<double>(batch_)},
                  context);
  };
  int end = count;
  for (int i = count - 1; i >= 1; --i) {
    if (!coupling_layer(i)) continue;
    for_each_chunk([&](const Chunk& chunk, Context& context) {
      if (end == count) loss_gradient(chunk, context);
      backward_nodes(i + 1, end, gradient, chunk, context);
      backward_node(i, true, gradient, chunk, context);
    });
    for (int64_t p : graph_.nodes()[at(i)].parameters)
      sum_shares(gradient, p, pool_.main_context());
    end = i + 1;
  }
  for_each_chunk([&](const Chunk& chunk, Context& context) {
    if (end == count) loss_gradient(chunk, context);
    backward_nodes(1, end, gradient, chunk, context);
  });
  const int64_t parameters = static_cast<int64_t>(graph_.layout().parameters().size());
  pool_.for_each(parameters,
                 [&](int64_t p, Context& context) { sum_shares(gradient, p, context); });
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
                          const Tensor& states, BatchnormMode mode, LossKind kind,
                          bool states_fixed) {
  begin_batch(x, labels, theta, states, mode);
  forward(states, states_fixed, kind);
  return result();
}

BatchResult Network::loss_and_gradient(const Tensor& gradient, const Tensor& x,
                                       const Tensor& labels, const Tensor& theta,
                                       const Tensor& states, BatchnormMode mode, LossKind kind,
                                       bool states_fixed) {
  require(gradient.size() == theta.size(), "the gradient holds ", gradient.size(),
          " numbers, theta ", theta.size());
  begin_batch(x, labels, theta, states, mode);
  forward(states, states_fixed, kind);
  backward(gradient, kind);
  return result();
}

}  // namespace topograd
