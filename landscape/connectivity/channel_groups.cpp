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

  /// Whether a node makes the channels of its output, from a weight [outputs, ..., inputs].
  bool makes_channels(size_t node) const { return makes_channels_[node]; }

  /// Returns the tied channel of every channel of a node.
  std::vector<int64_t> of_node(size_t node) {
    std::vector<int64_t> roots;
    for (int64_t channel : channels_[node])
      roots.push_back(channel == kZero ? kZero : root_of(channel));
    return roots;
  }

  /// Returns for every tied channel the nodes it occurs in, in order, and behind them the runs that
  /// it has to stay in, as numbers above all nodes'; empty where it has to stay.
  std::vector<std::vector<int64_t>> occurrences() {
    std::vector<std::vector<int64_t>> nodes(parents_.size());
    for (size_t node = 0; node < channels_.size(); ++node)
      for (int64_t root : of_node(node))
        if (root != kZero) nodes[at(root)].push_back(static_cast<int64_t>(node));
    for (size_t channel = 0; channel < parents_.size(); ++channel)
      if (fixed_[channel]) fixed_[at(root_of(static_cast<int64_t>(channel)))] = 1;
    for (size_t channel = 0; channel < nodes.size(); ++channel) {
      std::vector<int64_t>& in = nodes[channel];
      // Twice in one node: no other channel could take both its places.
      const bool twice = std::adjacent_find(in.begin(), in.end()) != in.end();
      if (fixed_[channel] || twice) in.clear();
    }
    auto number = static_cast<int64_t>(channels_.size());
    for (size_t node = 0; node < channels_.size(); ++node) {
      if (runs_[node] == 1) continue;
      const std::vector<int64_t> roots = of_node(node);
      const int64_t run = static_cast<int64_t>(roots.size()) / runs_[node];
      for (size_t i = 0; i < roots.size(); ++i)
        if (roots[i] != kZero && !nodes[at(roots[i])].empty())
          nodes[at(roots[i])].push_back(number + static_cast<int64_t>(i) / run);
      number += runs_[node];
    }
    return nodes;
  }

 private:
  std::vector<int64_t> new_channels(int64_t count, bool fixed) {
    std::vector<int64_t> made(at(count));
    std::iota(made.begin(), made.end(), static_cast<int64_t>(parents_.size()));
    parents_.insert(parents_.end(), made.begin(), made.end());
    fixed_.resize(parents_.size(), fixed ? 1 : 0);
    return made;
  }

  void enter(const Graph& graph, const Node& node) {
    makes_channels_.push_back(false);
    runs_.push_back(1);
    const int64_t count = channels_of(node.shape);
    if (node.layer == nullptr) {
      channels_.push_back(new_channels(count, /*fixed=*/true));
      return;
    }
    std::vector<Shape> inputs;
    for (int input : node.inputs) inputs.push_back(graph.nodes()[at(input)].shape);
    const std::optional<ChannelMap> map = node.layer->channel_map(inputs, node.shape);
    require(map.has_value(), "the channels of this network cannot be permuted: the layer ",
            node.name, " (", node.layer->kind(),
            ") does not say which channels its output has (Layer::channel_map)");
    makes_channels_.back() = map->makes_channels;
    runs_.back() = map->runs;
    if (map->makes_channels) {
      channels_.push_back(new_channels(count, /*fixed=*/false));
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

  std::vector<std::vector<int64_t>> channels_;  // per node
  std::vector<bool> makes_channels_;            // per node
  std::vector<int64_t> runs_;                   // per node
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
      for (int64_t tensor : node.parameters) {
        // Outputs are a weight's first axis; channels of an image of scales or shifts its last.
        const ParameterEntry& entry = graph.layout().parameters()[at(tensor)];
        add({tensor, false, !entry.is_weight() && entry.shape.rank() > 1, {}}, outputs);
      }
      for (int64_t tensor : node.running_stats) add({tensor, true, false, {}}, outputs);
      if (ties_.makes_channels(n))  // the weight comes before the bias
        add({node.parameters[0], false, true, {}},
            ties_.of_node(static_cast<size_t>(node.inputs[0])));
    }
  }

 private:
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

/// Sources of the elements along one axis of each tensor, at first their own places.
class AxisSources {
 public:
  AxisSources(const std::vector<ParameterEntry>& entries, bool state,
              const std::vector<ChannelGroup>& groups, const ChannelPermutation& permutation)
      : entries_(entries) {
    for (const ParameterEntry& entry : entries) {
      const Shape& shape = entry.shape;
      sources_.push_back({counting(shape[0]), counting(shape[shape.rank() - 1])});
    }
    for (size_t g = 0; g < groups.size(); ++g)
      for (const ChannelAxis& axis : groups[g].axes)
        if (axis.state == state)
          for (size_t slot = 0; slot < axis.places.size(); ++slot)
            sources_[at(axis.tensor)][axis.last ? 1 : 0][at(axis.places[slot])] =
                axis.places[at(permutation[g][slot])];
  }

  Tensor applied_to(const Tensor& flat) const {
    const Tensor result(flat.shape());
    for (size_t k = 0; k < entries_.size(); ++k) {
      const ParameterEntry& entry = entries_[k];
      const std::vector<int64_t>& rows = sources_[k][0];
      // A tensor of one axis has no inputs.
      const std::vector<int64_t> one = {0};
      const std::vector<int64_t>& columns = entry.shape.rank() == 1 ? one : sources_[k][1];
      const auto inputs = static_cast<int64_t>(columns.size());
      const int64_t middle = entry.filter_size() / inputs;
      const float* from = flat.data<float>() + entry.offset;
      float* to = result.data<float>() + entry.offset;
      for (int64_t row : rows)
        for (int64_t m = 0; m < middle; ++m)
          for (int64_t column : columns) *to++ = from[(row * middle + m) * inputs + column];
    }
    return result;
  }

 private:
  static std::vector<int64_t> counting(int64_t n) {
    std::vector<int64_t> numbers(at(n));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  const std::vector<ParameterEntry>& entries_;
  std::vector<std::array<std::vector<int64_t>, 2>> sources_;  // per tensor: first and last axis
};

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& graph) {
  ChannelTies ties(graph);
  // Channels that occur in the same nodes can take each other's places.
  std::map<std::vector<int64_t>, std::vector<int64_t>> alike;
  const std::vector<std::vector<int64_t>> occurrences = ties.occurrences();
  for (size_t channel = 0; channel < occurrences.size(); ++channel)
    if (!occurrences[channel].empty())
      alike[occurrences[channel]].push_back(static_cast<int64_t>(channel));
  std::vector<ChannelGroup> groups;
  std::map<int64_t, std::pair<size_t, size_t>> places;
  for (const auto& [nodes, channels] : alike) {
    if (channels.size() < 2) continue;
    for (size_t slot = 0; slot < channels.size(); ++slot)
      places[channels[slot]] = {groups.size(), slot};
    groups.push_back({graph.nodes()[at(nodes[0])].name, static_cast<int64_t>(channels.size()), {}});
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
