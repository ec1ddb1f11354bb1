#include "nn/fused_steps.h"

#include <algorithm>

#include "kernels/core/numbers.h"
#include "kernels/planar_conv/planar_conv.h"
#include "kernels/tile_conv/tile_conv.h"
#include "nn/layers/batchnorm.h"

namespace topograd {

namespace {

bool is(const Node& node, FusionRole role) {
  return node.layer && node.layer->fusion_role() == role;
}

bool is_relu(const Node& node) {
  return is(node, FusionRole::relu);
}

/// The one node that reads each node's output; -1 where several do, or none, or the caller.
std::vector<int> only_readers(const Graph& graph) {
  const std::vector<int> counts = graph.reader_counts();
  std::vector<int> reader(graph.nodes().size(), -1);
  for (size_t i = 0; i < reader.size(); ++i)
    for (int input : graph.nodes()[i].inputs)
      if (counts[at(input)] == 1 && input != graph.output())
        reader[at(input)] = static_cast<int>(i);
  return reader;
}

/// Finds the steps and lists the filters whose weights they read.
class Compiler {
 public:
  explicit Compiler(const Graph& graph)
      : graph_(graph),
        nodes_(graph.nodes()),
        reader_(only_readers(graph)),
        taken_(nodes_.size(), false),
        step_ending_at_(nodes_.size()) {}

  FusedProgram compile() {
    find_point_invariant();
    for (int value = 0; value < 2 * static_cast<int>(nodes_.size()); ++value)
      program_.storage_of.push_back(value);
    program_.allows_padding.assign(program_.storage_of.size(), false);
    for (int i = 1; i < static_cast<int>(nodes_.size()); ++i)
      if (!taken_[at(i)]) begin_step(i);
    for (FusedStep& step : step_ending_at_)
      if (!step.inputs.empty()) program_.steps.push_back(std::move(step));
    return std::move(program_);
  }

 private:
  void find_point_invariant() {
    program_.point_invariant.assign(nodes_.size(), true);
    for (size_t i = 1; i < nodes_.size(); ++i) {
      program_.point_invariant[i] = nodes_[i].parameters.empty() && nodes_[i].running_stats.empty();
      for (int input : nodes_[i].inputs)
        program_.point_invariant[i] =
            program_.point_invariant[i] && program_.point_invariant[at(input)];
    }
  }

  void begin_step(int i) {
    const Node& node = nodes_[at(i)];
    FusedStep step{node.inputs, i, FusedLayerStep{}};
    if (is(node, FusionRole::convolution) || is(node, FusionRole::linear))
      step.what = convolution(step);
    else if (is(node, FusionRole::batchnorm))
      step.what = batchnorm(step);
    else
      step.what = plain_layer(node);
    step_ending_at_[at(step.output)] = std::move(step);
  }

  /// Fuses the only reader of the step's output into the step, if `test` holds for it; returns its
  /// node or -1.
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
    if (is(node, FusionRole::convolution)) {
      conv.geometry = node.layer->conv_geometry();
      conv.filters = weight.shape;
    } else {
      conv.flatten = true;
      conv.filters = {weight.filters(), 1, 1, weight.filter_size()};
    }
    const int norm = take_reader(step, [](const Node& n) { return is(n, FusionRole::batchnorm); });
    conv.residual = take_residual(step);
    conv.relu = take_reader(step, is_relu) >= 0;
    conv.weights = program_.weights;
    conv.bias = static_cast<int64_t>(program_.filters.size());
    add_filters(&node, norm < 0 ? nullptr : &nodes_[at(norm)]);
    return conv;
  }

  /// Fuses an addition into the step and returns its other summand, or -1. That comes earlier in
  /// the graph than the addition, whose place the step takes.
  int take_residual(FusedStep& step) {
    const int from = step.output;
    const auto other_of = [&](const Node& n) { return n.inputs[n.inputs[0] == from ? 1 : 0]; };
    const int sum = take_reader(step, [&](const Node& n) {
      return is(n, FusionRole::add) && !program_.point_invariant[at(other_of(n))];
    });
    if (sum < 0) return -1;
    step.inputs.push_back(other_of(nodes_[at(sum)]));
    return step.inputs.back();
  }

  FusedScaleShiftStep batchnorm(FusedStep& step) {
    const Node& node = nodes_[at(step.output)];
    FusedScaleShiftStep norm;
    norm.scale = program_.weights;
    norm.shift = static_cast<int64_t>(program_.filters.size());
    norm.relu = take_reader(step, is_relu) >= 0;
    add_filters(nullptr, &node);
    return norm;
  }

  /// A layer that nothing fuses with. Each of its parameters is a filter of its own, which
  /// perturb_points forms as it is.
  FusedLayerStep plain_layer(const Node& node) {
    require(node.running_stats.empty(),
            "inference knows no running statistics but BatchNorm's: ", node.name, " (",
            node.layer->kind(), ") has some");
    FusedLayerStep layer;
    for (int64_t parameter : node.parameters) {
      const ParameterEntry& e = entry(parameter);
      layer.parameters.push_back({program_.weights, e.shape});
      program_.filters.push_back({.weights = static_cast<int32_t>(e.offset),
                                  .length = static_cast<int32_t>(e.size()),
                                  .bias = -1,
                                  .gamma = -1,
                                  .beta = -1,
                                  .mean = -1,
                                  .variance = -1,
                                  .filter = 0,
                                  .filters = 1,
                                  .layer_weights = static_cast<int32_t>(program_.weights),
                                  .layer_bias = static_cast<int32_t>(program_.filters.size())});
      program_.weights += e.size();
    }
    return layer;
  }

  /// Appends the filters of one layer to the table: a convolution's, a BatchNorm's, or both folded.
  void add_filters(const Node* conv, const Node* norm) {
    FoldedFilter f{};
    const ParameterEntry* weight = conv ? &entry(conv->parameters[0]) : nullptr;
    const int64_t count = weight ? weight->shape[0] : state(norm->running_stats[0]).size();
    const int64_t length = weight ? weight->size() / count : 1;
    if (norm) f.epsilon = norm->layer->as_batchnorm()->epsilon();
    f.length = static_cast<int32_t>(length);
    f.filters = static_cast<int32_t>(count);
    f.layer_weights = static_cast<int32_t>(program_.weights);
    f.layer_bias = static_cast<int32_t>(program_.filters.size());
    const auto offset = [](const ParameterEntry& e, int64_t o) {
      return static_cast<int32_t>(e.offset + o);
    };
    for (int64_t o = 0; o < count; ++o) {
      f.filter = static_cast<int32_t>(o);
      f.weights = weight ? offset(*weight, o * length) : -1;
      f.bias = conv && conv->parameters.size() > 1 ? offset(entry(conv->parameters[1]), o) : -1;
      const bool affine = norm && !norm->parameters.empty();
      f.gamma = affine ? offset(entry(norm->parameters[0]), o) : -1;
      f.beta = affine ? offset(entry(norm->parameters[1]), o) : -1;
      f.mean = norm ? offset(state(norm->running_stats[0]), o) : -1;
      f.variance = norm ? offset(state(norm->running_stats[1]), o) : -1;
      program_.filters.push_back(f);
    }
    program_.weights += count * length;
  }

  const ParameterEntry& entry(int64_t parameter) const {
    return graph_.layout().parameters()[at(parameter)];
  }
  const ParameterEntry& state(int64_t index) const {
    return graph_.layout().running_stats()[at(index)];
  }

  const Graph& graph_;
  const std::vector<Node>& nodes_;
  const std::vector<int> reader_;
  std::vector<bool> taken_;                // by a step that began earlier
  std::vector<FusedStep> step_ending_at_;  // a step runs where its last node stands
  FusedProgram program_;
};

/// Formats, plain and packed, in which a node's value is made and read.
struct Formats {
  bool made_packed = false, read_plain = false, read_packed = false;
};

bool is_image_conv(const FusedConvStep* conv) {
  return conv && !conv->flatten;
}

/// Puts the convolutions for which fits(convolution, its step) holds on packed images.
template <class Fits>
FusedProgram packed(FusedProgram program, const Graph& graph, const Fits& fits) {
  const int count = static_cast<int>(graph.nodes().size());
  std::vector<Formats> formats(graph.nodes().size());
  formats[at(graph.output())].read_plain = true;
  for (FusedStep& step : program.steps) {
    auto* conv = std::get_if<FusedConvStep>(&step.what);
    const bool packs = is_image_conv(conv) && fits(*conv, step);
    for (int input : step.inputs)
      (packs ? formats[at(input)].read_packed : formats[at(input)].read_plain) = true;
    if (!packs) continue;
    conv->packed = true;
    formats[at(step.output)].made_packed = true;
  }
  std::vector<FusedStep> steps;
  const auto convert = [&](int node) {
    const Formats& f = formats[at(node)];
    if (f.made_packed && f.read_plain) steps.push_back({{count + node}, node, FusedUnpackStep{}});
    if (!f.made_packed && f.read_packed) steps.push_back({{node}, count + node, FusedPackStep{}});
  };
  convert(0);
  for (FusedStep& step : program.steps) {
    const int node = step.output;
    auto* conv = std::get_if<FusedConvStep>(&step.what);
    if (conv && conv->packed) {
      for (int& input : step.inputs) input += count;
      if (conv->residual >= 0) conv->residual += count;
      step.output += count;
    }
    steps.push_back(std::move(step));
    convert(node);
  }
  program.steps = std::move(steps);
  return program;
}

}  // namespace

FusedProgram fused_program(const Graph& graph) {
  return Compiler(graph).compile();
}

FusedProgram with_tiles(FusedProgram program, const Graph& graph) {
  return packed(std::move(program), graph, [](const FusedConvStep& conv, const FusedStep&) {
    return tile_conv_fits(conv.filters, conv.geometry);
  });
}

FusedProgram with_planes(FusedProgram program, const Graph& graph) {
  const auto fits = [&](const FusedConvStep& conv, const FusedStep& step) {
    const Shape& image = graph.nodes()[at(step.inputs[0])].shape;
    return planar_conv_fits(conv.filters, conv.geometry, image[0], image[1]);
  };
  int64_t fragments = 0;
  for (FusedStep& step : program.steps) {
    auto* conv = std::get_if<FusedConvStep>(&step.what);
    if (!is_image_conv(conv)) continue;
    if (!fits(*conv, step)) return program;
    conv->fragments = fragments;
    fragments += packed_layer(*conv).size();
  }
  return fragments == 0 ? program : packed(std::move(program), graph, fits);
}

PackedLayer packed_layer(const FusedConvStep& conv) {
  const auto extent = [&](int axis) { return static_cast<int32_t>(conv.filters[axis]); };
  return {.weights = static_cast<int32_t>(conv.weights),
          .fragments = static_cast<int32_t>(conv.fragments),
          .O = extent(0),
          .I = extent(3),
          .KH = extent(1),
          .KW = extent(2)};
}

FusedProgram with_nested_concats(FusedProgram program, const Graph& graph) {
  const std::vector<Node>& nodes = graph.nodes();
  const size_t values = program.storage_of.size();
  // Only concatenations whose inputs differ from point to point: point-invariant ones have fewer
  // rows.
  for (FusedStep& step : program.steps) {
    const bool tiled = step.output >= static_cast<int>(nodes.size());
    if (tiled || !is(nodes[at(step.output)], FusionRole::concat)) continue;
    if (std::none_of(step.inputs.begin(), step.inputs.end(),
                     [&](int input) { return program.point_invariant[at(input)]; }))
      step.what = FusedConcatStep{};
  }
  std::vector<bool> nests(values, false);  // made by such a step, read by BatchNorms and concats
  std::vector<int> concats_reading(values, 0);
  for (const FusedStep& step : program.steps) {
    const bool concat = std::holds_alternative<FusedConcatStep>(step.what);
    if (concat) nests[at(step.output)] = step.output != graph.output();
    for (int input : step.inputs) {
      if (concat)
        ++concats_reading[at(input)];
      else if (!std::holds_alternative<FusedScaleShiftStep>(step.what))
        nests[at(input)] = false;
    }
  }
  program.allows_padding = nests;
  for (size_t v = 0; v < values; ++v) {
    nests[v] = nests[v] && concats_reading[v] == 1;
    program.allows_padding[v] = program.allows_padding[v] && concats_reading[v] == 0;
  }
  std::vector<int64_t> first(values, 0);  // a value's first channel in its storage
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
    auto* concat = std::get_if<FusedConcatStep>(&step->what);
    if (!concat) continue;
    int64_t channel = first[at(step->output)];
    for (int input : step->inputs) {
      if (nests[at(input)]) {
        program.storage_of[at(input)] = program.storage_of[at(step->output)];
        first[at(input)] = channel;
      } else {
        concat->parts.push_back({input, channel});
      }
      channel += nodes[at(input)].shape[2];
    }
  }
  for (FusedStep& step : program.steps)
    if (auto* norm = std::get_if<FusedScaleShiftStep>(&step.what))
      norm->first = first[at(step.inputs[0])];
  return program;
}

}  // namespace topograd
