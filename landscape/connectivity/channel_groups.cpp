#include "landscape/connectivity/channel_groups.h"
#include "kernels/core/numbers.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace topograd {

namespace {

/// Ties between channels: which channels of which nodes are one and the same, found by walking the
/// graph once and asking every layer for its ChannelMap.
class ChannelTies {
 public:
  static constexpr int64_t kZero = -1;  ///< a channel that is zero whatever the weights are

  explicit ChannelTies(const Graph& graph) {
    for (const Node& node : graph.nodes()) enter(graph, node);
    for (int64_t channel : channels_[at(graph.output())]) fixed_[at(channel)] = 1;
  }

  /// A node's answer, where it makes the channels of its output; else none.
  const std::optional<ChannelMap>& making(size_t node) const { return making_[node]; }

  /// Returns the tied channel of every channel of a node.
  std::vector<int64_t> of_node(size_t node) {
    std::vector<int64_t> roots;
    for (int64_t channel : channels_[node])
      roots.push_back(channel == kZero ? kZero : root_of(channel));
    return roots;
  }

  /// A node that a channel occurs in, or one that reads it in groups; which group of its channels.
  struct Occurrence {
    int64_t node;
    bool reads;
    int64_t group;
    auto operator<=>(const Occurrence&) const = default;
  };

  /// Returns for every tied channel where it occurs, in order; empty where it has to stay.
  std::vector<std::vector<Occurrence>> occurrences(const Graph& graph) {
    std::vector<std::vector<Occurrence>> found(parents_.size());
    for (size_t node = 0; node < channels_.size(); ++node)
      enter(found, {static_cast<int64_t>(node), false, 0}, node,
            making_[node] ? making_[node]->groups : 1);
    for (size_t channel = 0; channel < parents_.size(); ++channel)
      if (fixed_[channel]) fixed_[at(root_of(static_cast<int64_t>(channel)))] = 1;
    for (size_t channel = 0; channel < found.size(); ++channel) {
      std::vector<Occurrence>& in = found[channel];
      // Twice in one node: no other channel could take both its places.
      const bool twice =
          std::adjacent_find(in.begin(), in.end(), [](const Occurrence& a, const Occurrence& b) {
            return a.node == b.node;
          }) != in.end();
      if (fixed_[channel] || twice) in.clear();
    }
    std::vector<bool> stays;
    for (const std::vector<Occurrence>& in : found) stays.push_back(in.empty());
    for (size_t node = 0; node < channels_.size(); ++node)
      if (making_[node] && making_[node]->groups > 1)
        enter(found, {static_cast<int64_t>(node), true, 0}, input_of(graph, node),
              making_[node]->groups);
    for (size_t node = 0; node < channels_.size(); ++node)
      if (runs_[node] > 1) enter(found, {static_cast<int64_t>(node), true, 0}, node, runs_[node]);
    for (size_t channel = 0; channel < found.size(); ++channel)
      if (stays[channel]) found[channel].clear();
    return found;
  }

  static size_t input_of(const Graph& graph, size_t node) {
    return static_cast<size_t>(graph.nodes()[node].inputs[0]);
  }

 private:
  /// Notes the channels of a node as occurrences, in `groups` parts.
  void enter(std::vector<std::vector<Occurrence>>& found, Occurrence occurrence, size_t node,
             int64_t groups) {
    const std::vector<int64_t> roots = of_node(node);
    const int64_t count = static_cast<int64_t>(roots.size());
    for (int64_t i = 0; i < count; ++i) {
      occurrence.group = i / (count / groups);
      if (roots[at(i)] != kZero) found[at(roots[at(i)])].push_back(occurrence);
    }
  }

  std::vector<int64_t> new_channels(int64_t count, bool fixed) {
    std::vector<int64_t> made(at(count));
    std::iota(made.begin(), made.end(), static_cast<int64_t>(parents_.size()));
    parents_.insert(parents_.end(), made.begin(), made.end());
    fixed_.resize(parents_.size(), fixed ? 1 : 0);
    return made;
  }

  void enter(const Graph& graph, const Node& node) {
    making_.emplace_back();
    runs_.push_back(1);
    const int64_t count = channels_of(node.shape);
    if (node.layer == nullptr) {
      channels_.push_back(new_channels(count, /*fixed=*/true));
      return;
    }
    std::vector<Shape> inputs;
    for (int input : node.inputs) inputs.push_back(graph.nodes()[at(input)].shape);
    std::optional<ChannelMap> map = node.layer->channel_map(inputs, node.shape);
    require(map.has_value(), "the channels of this network cannot be permuted: the layer ",
            node.name, " (", node.layer->kind(),
            ") does not say which channels its output has (Layer::channel_map)");
    runs_.back() = map->runs;
    if (map->makes_channels || map->fixes_channels) {
      channels_.push_back(new_channels(count, map->fixes_channels));
      if (map->makes_channels) making_.back() = std::move(map);
      return;
    }
    require(static_cast<int64_t>(map->sources.size()) == count, node.name, " has ", count,
            " channels and maps ", map->sources.size());
    std::vector<int64_t> channels;
    for (const auto& sources : map->sources) channels.push_back(tied(node, sources));
    channels_.push_back(std::move(channels));
  }

  /// Ties channels of a node's inputs to one another, all but those that are always zero.
  int64_t tied(const Node& node, const std::vector<ChannelMap::Source>& sources) {
    int64_t first = kZero;
    for (const auto& [input, channel] : sources) {
      const int64_t next = channels_[at(node.inputs[input])][at(channel)];
      if (next == kZero) continue;
      if (first == kZero)
        first = next;
      else
        parents_[at(root_of(next))] = root_of(first);
    }
    return first;
  }

  int64_t root_of(int64_t channel) {
    while (parents_[at(channel)] != channel)
      channel = parents_[at(channel)] = parents_[at(parents_[at(channel)])];
    return channel;
  }

  std::vector<std::vector<int64_t>> channels_;     // per node
  std::vector<std::optional<ChannelMap>> making_;  // per node
  std::vector<int64_t> runs_;                      // per node
  std::vector<int64_t> parents_;
  std::vector<char> fixed_;
};

/// Finds where the groups' channels lie along the axes of a graph's tensors.
class AxisFinder {
 public:
  AxisFinder(ChannelTies& ties, std::vector<ChannelGroup>& groups,
             std::map<int64_t, std::pair<size_t, size_t>> places)
      : ties_(ties), groups_(groups), places_(std::move(places)) {}

  void enter(const Graph& graph) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      const Node& node = graph.nodes()[n];
      if (node.parameters.empty() && node.running_stats.empty()) continue;
      require(node.parameters_of < 0,
              "the channels of this network cannot be permuted: ", node.name,
              " reads the parameters of ",
              graph.nodes()[static_cast<size_t>(node.parameters_of)].name, ", too");
      const std::vector<int64_t> outputs = ties_.of_node(n);
      const std::optional<ChannelMap>& made = ties_.making(n);
      // A weight that makes channels comes below; one that keeps them (a depthwise convolution's)
      // has them along its first axis. Any other tensor has them along its last, or not at all: one
      // number for all channels.
      const std::vector<ParameterEntry>& entries = graph.layout().parameters();
      for (int64_t tensor : node.parameters) {
        const Shape& shape = entries[at(tensor)].shape;
        if (made && tensor == node.parameters[0]) continue;
        const bool last = shape.rank() > 1 && !entries[at(tensor)].is_weight();
        if (shape[last ? shape.rank() - 1 : 0] != static_cast<int64_t>(outputs.size())) continue;
        if (last)
          add_last_axis(tensor, shape[0], 1, outputs);
        else
          add({tensor, false, false, {}}, outputs);
      }
      for (int64_t tensor : node.running_stats) add({tensor, true, false, {}}, outputs);
      if (!made) continue;
      const std::vector<int64_t> inputs = ties_.of_node(ChannelTies::input_of(graph, n));
      const int64_t weight = node.parameters[0];  // comes before the bias
      const ParameterEntry& entry = graph.layout().parameters()[at(weight)];
      add({weight, false, false, {}}, made->inputs_first ? inputs : outputs);
      add_last_axis(weight, entry.filters(), made->groups, made->inputs_first ? outputs : inputs);
    }
  }

 private:
  /// Adds the last axis of a weight of `rows` rows, each part of which has its part of the channels.
  void add_last_axis(int64_t tensor, int64_t rows, int64_t parts,
                     const std::vector<int64_t>& channels) {
    const int64_t count = rows / parts, length = static_cast<int64_t>(channels.size()) / parts;
    for (int64_t part = 0; part < parts; ++part) {
      const auto begin = channels.begin() + static_cast<std::ptrdiff_t>(part * length);
      add({.tensor = tensor,
           .state = false,
           .last = true,
           .places = {},
           .first_row = part * count,
           .rows = count},
          {begin, begin + static_cast<std::ptrdiff_t>(length)});
    }
  }

  void add(const ChannelAxis& axis, const std::vector<int64_t>& channels) {
    std::map<size_t, ChannelAxis> found;
    for (size_t i = 0; i < channels.size(); ++i) {
      const auto place = places_.find(channels[i]);
      if (place == places_.end()) continue;
      const auto [group, slot] = place->second;
      ChannelAxis& in = found.try_emplace(group, axis).first->second;
      in.places.resize(at(groups_[group].size));
      in.places[slot] = static_cast<int64_t>(i);
    }
    for (auto& [group, in] : found) groups_[group].axes.push_back(std::move(in));
  }

  ChannelTies& ties_;
  std::vector<ChannelGroup>& groups_;
  std::map<int64_t, std::pair<size_t, size_t>> places_;  // by tied channel: group, slot
};

/// Sources of the elements along the axes of each tensor, at first their own places.
class AxisSources {
 public:
  AxisSources(const std::vector<ParameterEntry>& entries, bool state,
              const std::vector<ChannelGroup>& groups, const ChannelPermutation& permutation)
      : entries_(entries) {
    for (const ParameterEntry& entry : entries) {
      rows_.push_back(counting(entry.shape[0]));
      columns_.emplace_back();
    }
    for (size_t g = 0; g < groups.size(); ++g)
      for (const ChannelAxis& axis : groups[g].axes)
        if (axis.state == state) move(axis, permutation[g]);
  }

  Tensor applied_to(const Tensor& flat) const {
    const Tensor result(flat.shape());
    for (size_t k = 0; k < entries_.size(); ++k) {
      const ParameterEntry& entry = entries_[k];
      const int64_t inputs = last_axis(entry), middle = entry.filter_size() / inputs;
      const std::vector<int64_t> as_they_are = counting(inputs);
      const float* from = flat.data<float>() + entry.offset;
      float* to = result.data<float>() + entry.offset;
      for (int64_t row : rows_[k]) {
        const auto moved = columns_[k].find(row);
        for (int64_t m = 0; m < middle; ++m)
          for (int64_t column : moved == columns_[k].end() ? as_they_are : moved->second)
            *to++ = from[(row * middle + m) * inputs + column];
      }
    }
    return result;
  }

 private:
  /// Length of a tensor's last axis; a tensor of one axis has no inputs.
  static int64_t last_axis(const ParameterEntry& entry) {
    return entry.shape.rank() == 1 ? 1 : entry.shape[entry.shape.rank() - 1];
  }

  /// Lets the channels of one axis come from where the permutation says. Rows of a convolution's
  /// group stay within it, so that which columns a row has can be told before or after they moved.
  void move(const ChannelAxis& axis, const std::vector<int64_t>& permutation) {
    const size_t tensor = at(axis.tensor);
    const auto assign = [&](std::vector<int64_t>& sources) {
      for (size_t slot = 0; slot < axis.places.size(); ++slot)
        sources[at(axis.places[slot])] = axis.places[at(permutation[slot])];
    };
    if (!axis.last) return assign(rows_[tensor]);
    for (int64_t row = axis.first_row; row < axis.first_row + axis.rows; ++row)
      assign(
          columns_[tensor].try_emplace(row, counting(last_axis(entries_[tensor]))).first->second);
  }

  static std::vector<int64_t> counting(int64_t n) {
    std::vector<int64_t> numbers(at(n));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  const std::vector<ParameterEntry>& entries_;
  std::vector<std::vector<int64_t>> rows_;                        // per tensor
  std::vector<std::map<int64_t, std::vector<int64_t>>> columns_;  // per tensor: of rows that have
                                                                  // moved ones
};

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& graph) {
  ChannelTies ties(graph);
  // Channels that occur in the same nodes can take each other's places.
  std::map<std::vector<ChannelTies::Occurrence>, std::vector<int64_t>> alike;
  const std::vector<std::vector<ChannelTies::Occurrence>> occurrences = ties.occurrences(graph);
  for (size_t channel = 0; channel < occurrences.size(); ++channel)
    if (!occurrences[channel].empty())
      alike[occurrences[channel]].push_back(static_cast<int64_t>(channel));
  std::vector<ChannelGroup> groups;
  std::map<int64_t, std::pair<size_t, size_t>> places;
  for (const auto& [nodes, channels] : alike) {
    if (channels.size() < 2) continue;
    for (size_t slot = 0; slot < channels.size(); ++slot)
      places[channels[slot]] = {groups.size(), slot};
    groups.push_back(
        {graph.nodes()[at(nodes[0].node)].name, static_cast<int64_t>(channels.size()), {}});
  }
  AxisFinder(ties, groups, std::move(places)).enter(graph);
  return groups;
}

ChannelPermutation identity_of(const std::vector<ChannelGroup>& groups) {
  ChannelPermutation permutation;
  for (const ChannelGroup& group : groups) {
    permutation.emplace_back(at(group.size));
    std::iota(permutation.back().begin(), permutation.back().end(), 0);
  }
  return permutation;
}

PermutedNetwork permuted(const Graph& graph, const std::vector<ChannelGroup>& groups,
                         const ChannelPermutation& permutation, const Tensor& theta,
                         const Tensor& running_stats) {
  const ParameterLayout& layout = graph.layout();
  return {AxisSources(layout.parameters(), false, groups, permutation).applied_to(theta),
          AxisSources(layout.running_stats(), true, groups, permutation).applied_to(running_stats)};
}

}  // namespace topograd
