// ChannelGroup: channels of a network that may change places without changing what it computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/graph.h"

namespace topograd {

/// One axis of one tensor along which a group's channels lie.
struct ChannelAxis {
  int64_t tensor;  ///< index into layout().parameters(), or running_stats()
  bool state;      ///< the tensor is a running statistic
  bool last;       ///< the last axis: a weight's inputs, a norm's channels; else the first
  std::vector<int64_t> places;  ///< where the group's channels lie along that axis, in their order
};

/// Channels that may be permuted among themselves, together wherever they occur: a hidden layer's
/// outputs, or those of all layers that a chain of residual sums ties to one another.
struct ChannelGroup {
  std::string name;  ///< name of the first layer that makes them
  int64_t size;
  std::vector<ChannelAxis> axes;
};

/// Finds all groups of more than one channel, in the graph's order. The image's channels and the
/// logits stay where they are. Every layer says which channels of its inputs its output's are
/// (Layer::channel_map): a sum ties channel i of one input to channel i of the other; the shortcut
/// without parameters ties the middle channels of what it is added to, its zeros tie nothing; a
/// concatenation keeps its inputs' groups apart. Throws Error that names a layer that does not say.
std::vector<ChannelGroup> channel_groups(const Graph& graph);

/// Sources of the channels of each group: channel i of group g comes from permutation[g][i].
using ChannelPermutation = std::vector<std::vector<int64_t>>;
ChannelPermutation identity_of(const std::vector<ChannelGroup>& groups);

/// The network whose channel i of group g is this one's channel permutation[g][i]: the same
/// function. Both vectors lie on the CPU; results are new tensors.
struct PermutedNetwork {
  Tensor theta, running_stats;
};
PermutedNetwork permuted(const Graph& graph, const std::vector<ChannelGroup>& groups,
                         const ChannelPermutation& permutation, const Tensor& theta,
                         const Tensor& running_stats);

}  // namespace topograd
