// Alignment of two networks: the order of one's channels in which its weights come closest to the
// other's. S. Ainsworth, J. Hayase, S. Srinivasa, "Git Re-Basin: Merging Models modulo Permutation
// Symmetries", ICLR 2023, section 3.2 (weight matching).
#pragma once

#include <functional>

#include "kernels/core/thread_pool.h"
#include "landscape/connectivity/channel_groups.h"

namespace topograd {

struct AlignmentOptions {
  uint64_t seed = 1;  ///< seed of the orders in which the groups are matched
  int sweeps = 100;   ///< most passes over all groups; it ends when one changes nothing
  /// Called after every sweep; false: stop there, with what was found so far.
  std::function<bool(int sweeps)> progress{};
};

struct Alignment {
  ChannelPermutation permutation;
  double product_before = 0, product = 0;    ///< theta_a . theta_b, before and after
  double distance_before = 0, distance = 0;  ///< |theta_a - theta_b|
  int sweeps = 0;
  bool settled = false;  ///< the last sweep changed nothing
};

/// Maximises theta_a . permuted(theta_b) group by group, each exactly
/// (landscape/connectivity/assignment.h) while the others stay; which of the local maxima it ends
/// in depends on the seed. Both vectors lie on the CPU. The same permutation for any number of
/// threads.
Alignment align_channels(const Graph& graph, const std::vector<ChannelGroup>& groups,
                         const Tensor& theta_a, const Tensor& theta_b,
                         const AlignmentOptions& options, ThreadPool& pool);

}  // namespace topograd
