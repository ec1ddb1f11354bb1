#include "nn/fused_plan.h"

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
  allocate();
}

/// Walks the steps once: a value takes memory that no later step reads.
void FusedPlan::allocate() {
  values_.resize(graph_.nodes().size());
  std::vector<size_t> last(graph_.nodes().size(), 0);
  for (size_t s = 0; s < steps_.size(); ++s)
    for (int input : steps_[s].inputs) last[at(input)] = s;
  last[at(graph_.output())] = steps_.size();
  std::map<int64_t, std::vector<Tensor>> free;  // by size
  for (size_t s = 0; s < steps_.size(); ++s) {
    const FusedStep& step = steps_[s];
    const int64_t size =
        rows(step.output, options_.images) * graph_.nodes()[at(step.output)].shape.size();
    // The input that the step may overwrite: a convolution its residual, others their first.
    const bool is_conv = std::holds_alternative<FusedConvStep>(step.what);
    const bool may_overwrite = is_conv ? step.inputs.size() > 1 && step.inputs[0] != step.inputs[1]
                                       : graph_.nodes()[at(step.output)].layer->works_in_place();
    const int victim = is_conv ? step.inputs.back() : step.inputs[0];
    Tensor& value = values_[at(step.output)];
    bool overwritten = false;
    if (may_overwrite && victim != 0 && last[at(victim)] == s &&
        values_[at(victim)].size() == size) {
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
      const bool done = input != 0 && last[at(input)] == s && !again;
      if (done && !(overwritten && input == victim))
        free[values_[at(input)].size()].push_back(values_[at(input)]);
    }
  }
}

int64_t FusedPlan::rows(int node, int64_t n) const {
  return shared_[at(node)] ? n : options_.points * n;
}

Tensor FusedPlan::value(int node, const Tensor& x) const {
  if (node == 0) return x;
  Shape shape{rows(node, x.dim(0))};
  for (int64_t extent : graph_.nodes()[at(node)].shape) shape.push_back(extent);
  return values_[at(node)].slice(0, shape);
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

void FusedPlan::run_step(const FusedConvStep& conv, const FusedStep& step, const Tensor& x,
                         Context& context) {
  const int64_t P = options_.points, O = conv.filters[0];
  const auto image = [&](const Tensor& t) {
    return conv.flatten ? t.reshaped({t.dim(0), 1, 1, t.dim(0) == 0 ? 0 : t.size() / t.dim(0)}) : t;
  };
  fused_conv({.y = image(value(step.output, x)),
              .x = image(value(step.inputs[0], x)),
              .w = weights_.slice(P * conv.weights, conv.filters.with_first(P * O)),
              .bias = biases_.slice(P * conv.bias, {P * O}),
              .residual = conv.residual < 0 ? Tensor() : image(value(conv.residual, x)),
              .points = P,
              .geometry = conv.geometry,
              .relu = conv.relu,
              .precision = options_.precision},
             context);
}

void FusedPlan::run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Tensor& x,
                         Context& context) {
  const Tensor y = value(step.output, x);
  const Shape per_channel{options_.points * y.dim(y.shape().rank() - 1)};
  scale_shift({.y = y,
               .x = value(step.inputs[0], x),
               .scale = weights_.slice(options_.points * norm.scale, per_channel),
               .shift = biases_.slice(options_.points * norm.shift, per_channel),
               .points = options_.points,
               .relu = norm.relu},
              context);
}

void FusedPlan::run_step(const FusedLayerStep&, const FusedStep& step, const Tensor& x,
                         Context& context) {
  const Layer& layer = *graph_.nodes()[at(step.output)].layer;
  const int64_t n = x.dim(0);
  const Tensor y = value(step.output, x);
  bool mixed = false;  // an input that all networks share beside one that they do not
  for (int input : step.inputs) mixed = mixed || shared_[at(input)] != shared_[at(step.output)];
  std::vector<Tensor> inputs;
  for (int64_t p = 0; p < (mixed ? options_.points : 1); ++p) {
    inputs.clear();
    for (int input : step.inputs) {
      const Tensor whole = value(input, x);
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
  for (const FusedStep& step : steps_)
    std::visit([&](const auto& what) { run_step(what, step, x, context); }, step.what);
  return value(graph_.output(), x).reshaped({options_.points, n, graph_.classes()});
}

}  // namespace topograd
