#include "nn/fused_plan.h"

#include <algorithm>
#include <bit>
#include <map>

#include "kernels/fused_conv/fused_conv.h"
#include "kernels/perturb/perturb_points.h"
#include "kernels/scale_shift/scale_shift.h"

namespace topograd {

namespace {

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

template <class LayerType>
const LayerType* layer_as(const Node& node) {
  return dynamic_cast<const LayerType*>(node.layer.get());
}

bool is_relu(const Node& node) {
  const auto* layer = layer_as<ActivationLayer>(node);
  return layer && layer->activation() == Activation::relu;
}

/// The one node that reads each node's output; -1 where several do, or nobody, or the caller.
std::vector<int> only_readers(const Graph& graph) {
  const std::vector<int> counts = graph.reader_counts();
  std::vector<int> reader(graph.nodes().size(), -1);
  for (size_t i = 0; i < reader.size(); ++i)
    for (int input : graph.nodes()[i].inputs)
      if (counts[at(input)] == 1 && input != graph.output())
        reader[at(input)] = static_cast<int>(i);
  return reader;
}

}  // namespace

/// Finds the steps of a plan and lists the filters whose weights they read.
class FusedPlan::Compiler {
 public:
  explicit Compiler(FusedPlan& plan)
      : plan_(plan),
        nodes_(plan.graph_.nodes()),
        reader_(only_readers(plan.graph_)),
        taken_(nodes_.size(), false),
        step_ending_at_(nodes_.size()) {}

  void compile() {
    find_shared();
    for (int i = 1; i < static_cast<int>(nodes_.size()); ++i)
      if (!taken_[at(i)]) begin_step(i);
    for (FusedStep& step : step_ending_at_)
      if (!step.inputs.empty()) plan_.steps_.push_back(std::move(step));
    const Tensor table({static_cast<int64_t>(filters_.size()), FoldedFilter::kColumns}, DType::i32);
    std::copy(filters_.begin(), filters_.end(),
              reinterpret_cast<FoldedFilter*>(table.data<int32_t>()));
    const FusedPlanOptions& options = plan_.options_;
    plan_.filters_ = table.to(options.device);
    plan_.weights_ = Tensor({options.points * weights_}, options.dtype, options.device);
    plan_.biases_ = Tensor({options.points * static_cast<int64_t>(filters_.size())}, options.dtype,
                           options.device);
  }

 private:
  void find_shared() {
    plan_.shared_.assign(nodes_.size(), true);
    for (size_t i = 1; i < nodes_.size(); ++i) {
      plan_.shared_[i] = nodes_[i].parameters.empty();
      for (int input : nodes_[i].inputs)
        plan_.shared_[i] = plan_.shared_[i] && plan_.shared_[at(input)];
    }
  }

  void begin_step(int i) {
    const Node& node = nodes_[at(i)];
    FusedStep step{node.inputs, i, FusedLayerStep{}};
    if (layer_as<Conv2dLayer>(node) || layer_as<LinearLayer>(node))
      step.what = convolution(step);
    else if (layer_as<BatchnormLayer>(node))
      step.what = batchnorm(step);
    else
      require(node.parameters.empty(), "inference on ", name_of(plan_.options_.device),
              " does not know what to do with the parameters of ", node.name);
    step_ending_at_[at(step.output)] = std::move(step);
  }

  /// If `test` says so of the only reader of the step's output, the step takes it in.
  template <class Test>
  int take_reader(FusedStep& step, const Test& test) {
    const int reader = reader_[at(step.output)];
    if (reader < 0 || taken_[at(reader)] || !test(nodes_[at(reader)])) return -1;
    taken_[at(reader)] = true;
    step.output = reader;
    return reader;
  }

  FusedConvStep convolution(FusedStep& step) {
    const int index = step.output;
    const Node& node = nodes_[at(index)];
    const ParameterEntry& weight = entry(node.parameters[0]);
    FusedConvStep conv;
    if (const auto* layer = layer_as<Conv2dLayer>(node)) {
      conv.geometry = layer->geometry();
      conv.filters = weight.shape;
    } else {
      conv.flatten = true;
      conv.filters = {weight.filters(), 1, 1, weight.filter_size()};
    }
    const int norm =
        take_reader(step, [](const Node& n) { return layer_as<BatchnormLayer>(n) != nullptr; });
    conv.residual = take_residual(step);
    conv.relu = take_reader(step, is_relu) >= 0;
    conv.weights = weights_;
    conv.bias = static_cast<int64_t>(filters_.size());
    add_filters(&node, norm < 0 ? nullptr : &nodes_[at(norm)]);
    return conv;
  }

  /// The other summand of an addition that the step takes in. It comes earlier in the graph than
  /// the addition, whose place the step takes.
  int take_residual(FusedStep& step) {
    const int from = step.output;
    const auto other_of = [&](const Node& n) { return n.inputs[n.inputs[0] == from ? 1 : 0]; };
    const int sum = take_reader(step, [&](const Node& n) {
      return layer_as<AddLayer>(n) && !plan_.shared_[at(other_of(n))];
    });
    if (sum < 0) return -1;
    step.inputs.push_back(other_of(nodes_[at(sum)]));
    return step.inputs.back();
  }

  FusedScaleShiftStep batchnorm(FusedStep& step) {
    const Node& node = nodes_[at(step.output)];
    FusedScaleShiftStep norm;
    norm.scale = weights_;
    norm.shift = static_cast<int64_t>(filters_.size());
    norm.relu = take_reader(step, is_relu) >= 0;
    add_filters(nullptr, &node);
    return norm;
  }

  /// Rows of the table for one layer: a convolution, a BatchNorm, or both.
  void add_filters(const Node* conv, const Node* norm) {
    FoldedFilter f{};
    const ParameterEntry* weight = conv ? &entry(conv->parameters[0]) : nullptr;
    const int64_t count = weight ? weight->shape[0] : entry(norm->parameters[0]).size();
    const int64_t length = weight ? weight->size() / count : 1;
    f.length = static_cast<int32_t>(length);
    f.filters = static_cast<int32_t>(count);
    f.layer_weights = static_cast<int32_t>(weights_);
    f.layer_bias = static_cast<int32_t>(filters_.size());
    const auto offset = [](const ParameterEntry& e, int64_t o) {
      return static_cast<int32_t>(e.offset + o);
    };
    for (int64_t o = 0; o < count; ++o) {
      f.filter = static_cast<int32_t>(o);
      f.weights = weight ? offset(*weight, o * length) : -1;
      f.bias = conv && conv->parameters.size() > 1 ? offset(entry(conv->parameters[1]), o) : -1;
      f.gamma = norm ? offset(entry(norm->parameters[0]), o) : -1;
      f.beta = norm ? offset(entry(norm->parameters[1]), o) : -1;
      f.mean = norm ? offset(state(norm->states[0]), o) : -1;
      f.variance = norm ? offset(state(norm->states[1]), o) : -1;
      filters_.push_back(f);
    }
    weights_ += count * length;
  }

  const ParameterEntry& entry(int64_t parameter) const {
    return plan_.graph_.layout().parameters()[at(parameter)];
  }
  const ParameterEntry& state(int64_t index) const {
    return plan_.graph_.layout().states()[at(index)];
  }

  FusedPlan& plan_;
  const std::vector<Node>& nodes_;
  const std::vector<int> reader_;
  std::vector<bool> taken_;                // by a step that began earlier
  std::vector<FusedStep> step_ending_at_;  // a step runs where its last node stands
  std::vector<FoldedFilter> filters_;
  int64_t weights_ = 0;
};

FusedPlan::FusedPlan(const Graph& graph, const FusedPlanOptions& options)
    : graph_(graph), options_(options) {
  require(options.images > 0 && options.points > 0, "a plan for ", options.images, " images of ",
          options.points, " networks");
  require(graph.layout().parameter_count() * options.points <= int64_t{1} << 30, "a network of ",
          graph.layout().parameter_count(), " parameters is too large for ", options.points,
          " points at once");
  Compiler(*this).compile();
  find_segments();
  allocate();
}

/// Images whose largest value fits three times (input, output, residual) into half of a
/// second-level cache of 2 MiB; a power of two, so that neighbouring steps agree.
int64_t FusedPlan::images_at_once(const FusedStep& step) const {
  constexpr int64_t kCache = 1 << 20;
  if (options_.device != Device::cpu || options_.points > 1) return options_.images;
  int64_t size = size_of(step.output);
  for (int input : step.inputs) size = std::max(size, size_of(input));
  const int64_t fit = kCache / (3 * size * bytes_of(options_.dtype));
  return std::min(
      options_.images,
      static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(fit, 1)))));
}

void FusedPlan::find_segments() {
  std::vector<size_t> segment_of(graph_.nodes().size(), 0);  // that makes a node's value
  crosses_.assign(graph_.nodes().size(), false);
  for (size_t s = 0; s < steps_.size(); ++s) {
    const int64_t images = images_at_once(steps_[s]);
    if (segments_.empty() || segments_.back().images != images) segments_.push_back({s, s, images});
    segments_.back().end = s + 1;
    segment_of[at(steps_[s].output)] = segments_.size();
    for (int input : steps_[s].inputs)
      if (segment_of[at(input)] != segments_.size()) crosses_[at(input)] = true;
  }
  crosses_[at(graph_.output())] = true;
}

/// Walks the steps once: a value takes memory that no later step reads. What crosses from one
/// segment to another has memory of its own: others of its images come after the later steps.
void FusedPlan::allocate() {
  values_.resize(graph_.nodes().size());
  std::vector<size_t> last(graph_.nodes().size(), 0);
  for (size_t s = 0; s < steps_.size(); ++s)
    for (int input : steps_[s].inputs) last[at(input)] = s;
  std::map<int64_t, std::vector<Tensor>> free;  // by size
  for (const Segment& segment : segments_)
    for (size_t s = segment.begin; s < segment.end; ++s) {
      const FusedStep& step = steps_[s];
      const bool crosses = crosses_[at(step.output)];
      const int64_t size =
          rows(step.output, crosses ? options_.images : segment.images) * size_of(step.output);
      const auto ends_here = [&](int node) {
        return node != 0 && !crosses_[at(node)] && last[at(node)] == s;
      };
      // The input that the step may overwrite: a convolution its residual, others their first.
      const bool is_conv = std::holds_alternative<FusedConvStep>(step.what);
      const bool may_overwrite = is_conv
                                     ? step.inputs.size() > 1 && step.inputs[0] != step.inputs[1]
                                     : graph_.nodes()[at(step.output)].layer->works_in_place();
      const int victim = is_conv ? step.inputs.back() : step.inputs[0];
      Tensor& value = values_[at(step.output)];
      bool overwritten = false;
      if (crosses) {
        value = Tensor({size}, options_.dtype, options_.device);
      } else if (may_overwrite && ends_here(victim) && values_[at(victim)].size() == size) {
        value = values_[at(victim)];
        overwritten = true;
      } else if (!free[size].empty()) {
        value = free[size].back();
        free[size].pop_back();
      } else {
        value = Tensor({size}, options_.dtype, options_.device);
      }
      for (size_t k = 0; k < step.inputs.size(); ++k) {
        const int input = step.inputs[k];
        const bool again = k > 0 && step.inputs[0] == input;
        if (ends_here(input) && !again && !(overwritten && input == victim))
          free[values_[at(input)].size()].push_back(values_[at(input)]);
      }
    }
}

int64_t FusedPlan::rows(int node, int64_t n) const {
  return shared_[at(node)] ? n : options_.points * n;
}

Tensor FusedPlan::value(int node, const Batch& batch) const {
  if (node == 0) return batch.x.rows(batch.first, batch.first + batch.count);
  Shape shape{rows(node, batch.count)};
  for (int64_t extent : graph_.nodes()[at(node)].shape) shape.push_back(extent);
  const int64_t first = crosses_[at(node)] ? batch.first : 0;
  return values_[at(node)].slice(rows(node, first) * size_of(node), shape);
}

void FusedPlan::form_weights(const NetworkOnPlane& network, const Tensor& coefficients,
                             Context& context) {
  perturb_points({.weights = weights_,
                  .biases = biases_,
                  .theta = network.theta,
                  .delta = network.delta,
                  .eta = network.eta,
                  .states = network.states,
                  .states_delta = network.states_delta,
                  .states_eta = network.states_eta,
                  .coefficients = coefficients,
                  .filters = filters_,
                  .epsilon = BatchnormLayer::kEpsilon},
                 context);
  weights_version_ = new_weights_version();
}

void FusedPlan::run_step(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const int64_t P = options_.points, O = conv.filters[0];
  const auto image = [&](const Tensor& t) {
    return conv.flatten ? t.reshaped({t.dim(0), 1, 1, t.dim(0) == 0 ? 0 : t.size() / t.dim(0)}) : t;
  };
  fused_conv({.y = image(value(step.output, batch)),
              .x = image(value(step.inputs[0], batch)),
              .w = weights_.slice(P * conv.weights, conv.filters.with_first(P * O)),
              .bias = biases_.slice(P * conv.bias, {P * O}),
              .residual = conv.residual < 0 ? Tensor() : image(value(conv.residual, batch)),
              .points = P,
              .geometry = conv.geometry,
              .relu = conv.relu,
              .precision = options_.precision,
              .rounding = options_.rounding,
              .weights_version = weights_version_},
             context);
}

void FusedPlan::run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Tensor y = value(step.output, batch);
  const Shape per_channel{options_.points * y.dim(y.shape().rank() - 1)};
  scale_shift({.y = y,
               .x = value(step.inputs[0], batch),
               .scale = weights_.slice(options_.points * norm.scale, per_channel),
               .shift = biases_.slice(options_.points * norm.shift, per_channel),
               .points = options_.points,
               .relu = norm.relu},
              context);
}

void FusedPlan::run_step(const FusedLayerStep&, const FusedStep& step, const Batch& batch,
                         Context& context) {
  const Layer& layer = *graph_.nodes()[at(step.output)].layer;
  const int64_t n = batch.count;
  const Tensor y = value(step.output, batch);
  bool mixed = false;  // an input that all networks share beside one that they do not
  for (int input : step.inputs) mixed = mixed || shared_[at(input)] != shared_[at(step.output)];
  std::vector<Tensor> inputs;
  for (int64_t p = 0; p < (mixed ? options_.points : 1); ++p) {
    inputs.clear();
    for (int input : step.inputs) {
      const Tensor whole = value(input, batch);
      inputs.push_back(mixed && !shared_[at(input)] ? whole.rows(p * n, (p + 1) * n) : whole);
    }
    layer.forward(
        {.y = mixed ? y.rows(p * n, (p + 1) * n) : y, .x = inputs, .parameters = {}, .states = {}},
        context);
  }
}

Tensor FusedPlan::run(const Tensor& x, Context& context) {
  const int64_t n = x.dim(0);
  require(n <= options_.images, n, " images in a plan for ", options_.images);
  for (const Segment& segment : segments_)
    for (int64_t first = 0; first < n; first += segment.images) {
      const Batch batch{x, first, std::min(segment.images, n - first)};
      for (size_t s = segment.begin; s < segment.end; ++s)
        std::visit([&](const auto& what) { run_step(what, steps_[s], batch, context); },
                   steps_[s].what);
    }
  return value(graph_.output(), {x, 0, n}).reshaped({options_.points, n, graph_.classes()});
}

}  // namespace topograd
