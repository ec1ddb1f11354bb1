// The linear assignment problem: n workers, n jobs, one job each.
#pragma once

#include <cstdint>
#include <vector>

namespace topograd {

/// Returns the permutation p that maximises the sum of gain[i * n + p[i]] over i, by shortest
/// augmenting paths in O(n^3) (R. Jonker, A. Volgenant, "A Shortest Augmenting Path Algorithm for
/// Dense and Sparse Linear Assignment Problems", Computing 38, 1987). The gains are finite. Where
/// several permutations are best, which one is found depends on the gains alone.
std::vector<int64_t> best_assignment(const std::vector<double>& gain, int64_t n);

}  // namespace topograd
