#include "landscape/sharpness/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "kernels/core/philox.h"

namespace topograd {

namespace {

constexpr size_t kMaxPairsForAll = 8;  // 40,320 permutations
constexpr int64_t kRandomPermutations = 20'000;
constexpr int64_t kSamples = 10'000;
constexpr size_t kFewestForBootstrap = 5;

void check_pairs(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "a correlation of ", x.size(), " with ", y.size(), " numbers");
}

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

double pearson(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kNaN;
}

int order(double a, double b) {
  return (a > b) - (a < b);
}

double coefficient(std::span<const double> x, std::span<const double> y, RankCorrelation kind) {
  return kind == RankCorrelation::spearman ? spearman(x, y) : kendall(x, y);
}

/// Puts the values in a random order; each draw has numbers of its own.
void shuffle(std::vector<double>& values, const Philox& random, uint64_t draw) {
  for (size_t i = values.size(); i > 1; --i) {
    const uint64_t index = draw * values.size() + i - 1;
    std::swap(values[i - 1], values[random.below(index, static_cast<uint32_t>(i))]);
  }
}

}  // namespace

std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> sorted(values.size());
  std::iota(sorted.begin(), sorted.end(), size_t{0});
  std::sort(sorted.begin(), sorted.end(),
            [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin;
    while (end < sorted.size() && values[sorted[end]] == values[sorted[begin]]) ++end;
    const double shared = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    for (; begin < end; ++begin) result[sorted[begin]] = shared;
  }
  return result;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  check_pairs(x, y);
  if (x.size() < 2 || has_nan(x) || has_nan(y)) return kNaN;
  return pearson(ranks(x), ranks(y));
}

double kendall(std::span<const double> x, std::span<const double> y) {
  check_pairs(x, y);
  if (has_nan(x) || has_nan(y)) return kNaN;
  int64_t balance = 0, differ_x = 0, differ_y = 0;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const int in_x = order(x[i], x[j]), in_y = order(y[i], y[j]);
      balance += in_x * in_y;
      differ_x += in_x != 0;
      differ_y += in_y != 0;
    }
  if (differ_x == 0 || differ_y == 0) return kNaN;
  return static_cast<double>(balance) /
         std::sqrt(static_cast<double>(differ_x) * static_cast<double>(differ_y));
}

PermutationTest permutation_test(std::span<const double> x, std::span<const double> y,
                                 RankCorrelation kind, uint64_t seed) {
  const double found = coefficient(x, y, kind);
  if (std::isnan(found)) return {kNaN, 0, false};
  const double bar = std::abs(found) - 1e-12;  // equal ones, summed in another order
  int64_t as_far = 0, tried = 0;
  const auto count = [&](std::span<const double> other) {
    ++tried;
    as_far += std::abs(coefficient(x, other, kind)) >= bar;
  };
  if (y.size() <= kMaxPairsForAll) {
    // Places, not values: equal values are exchanged like all others.
    std::vector<size_t> places(y.size());
    std::iota(places.begin(), places.end(), size_t{0});
    std::vector<double> other(y.size());
    do {
      for (size_t i = 0; i < y.size(); ++i) other[i] = y[places[i]];
      count(other);
    } while (std::next_permutation(places.begin(), places.end()));
    return {static_cast<double>(as_far) / static_cast<double>(tried), tried, true};
  }
  const Philox random(seed, RandomStream::probe, 1u << 25);
  std::vector<double> other(y.begin(), y.end());
  for (int64_t draw = 0; draw < kRandomPermutations; ++draw) {
    shuffle(other, random, static_cast<uint64_t>(draw));
    count(other);
  }
  return {static_cast<double>(as_far + 1) / static_cast<double>(tried + 1), tried, false};
}

Interval bootstrap_interval(std::span<const double> x, std::span<const double> y,
                            RankCorrelation kind, uint64_t seed) {
  const size_t n = x.size();
  if (n < kFewestForBootstrap || std::isnan(coefficient(x, y, kind))) return {kNaN, kNaN};
  const Philox random(seed, RandomStream::probe, (1u << 25) + 1);
  std::vector<double> found, some_x(n), some_y(n);
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    for (size_t i = 0; i < n; ++i) {
      const uint64_t index = static_cast<uint64_t>(sample) * n + i;
      const size_t pair = random.below(index, static_cast<uint32_t>(n));
      some_x[i] = x[pair];
      some_y[i] = y[pair];
    }
    const double value = coefficient(some_x, some_y, kind);
    if (!std::isnan(value)) found.push_back(value);
  }
  std::sort(found.begin(), found.end());
  const auto at = [&](double share) {
    return found[static_cast<size_t>(share * static_cast<double>(found.size() - 1) + 0.5)];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace topograd
