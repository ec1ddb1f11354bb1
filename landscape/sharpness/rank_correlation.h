// Rank correlations of a few pairs of numbers, and their significance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topograd {

/// Returns places from 1 on, from the smallest up; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values);

/// Returns Spearman's rho: Pearson's correlation of the ranks. NaN for fewer than two pairs, or
/// where one side is all equal.
double spearman(std::span<const double> x, std::span<const double> y);

/// Returns Kendall's tau-b, which takes ties into account; NaN where Spearman's rho is.
double kendall(std::span<const double> x, std::span<const double> y);

enum class RankCorrelation { spearman, kendall };

/// Probability of a coefficient at least as far from 0, were the two sides independent.
struct PermutationTest {
  double p = 0;
  int64_t permutations = 0;
  bool exact = false;  ///< whether all permutations were tried
};
/// Tests two-sidedly. Up to 8 pairs over all permutations of one side, exactly; beyond that 20,000
/// random ones, the given order counted as one more. NaN where the coefficient is.
PermutationTest permutation_test(std::span<const double> x, std::span<const double> y,
                                 RankCorrelation kind, uint64_t seed);

struct Interval {
  double low = 0, high = 0;
};
/// Returns the middle 95 % of the coefficient over 10,000 samples of the pairs, drawn with
/// replacement (B. Efron, 1979: the percentile bootstrap); samples with one side all equal are left
/// out. Of few pairs it says little: NaN for fewer than 5.
Interval bootstrap_interval(std::span<const double> x, std::span<const double> y,
                            RankCorrelation kind, uint64_t seed);

}  // namespace topograd
