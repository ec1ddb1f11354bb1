// Rank correlations against NumPy's, permutation tests against probabilities counted by hand.
#include "landscape/sharpness/rank_correlation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/landscape/sharpness/rank_values.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("rank correlation: equal values share their ranks") {
  const std::vector<double> values{5, 1, 5, 3, 5};
  CHECK(ranks(values) == std::vector<double>{4, 1, 4, 2, 4});
}

TEST_CASE("rank correlation: Spearman and Kendall as NumPy has them, ties too") {
  for (const RankValues& known : kRankValues) {
    CHECK(spearman(known.x, known.y) == doctest::Approx(known.spearman).epsilon(1e-12));
    CHECK(kendall(known.x, known.y) == doctest::Approx(known.kendall).epsilon(1e-12));
  }
}

TEST_CASE("rank correlation: infinite values have a place, what is no number has none") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> x{1, 2, 3}, up{1, 5, infinity}, none{1, std::nan(""), 2}, flat{4, 4, 4};
  CHECK(spearman(x, up) == 1);
  CHECK(kendall(x, up) == 1);
  for (const auto& y : {none, flat}) {
    CHECK(std::isnan(spearman(x, y)));
    CHECK(std::isnan(kendall(x, y)));
    CHECK(std::isnan(permutation_test(x, y, RankCorrelation::kendall, 1).p));
  }
}

TEST_CASE("rank correlation: few pairs are tested over all permutations") {
  const std::vector<double> x{1, 2, 3, 4}, y{10, 20, 30, 40};
  for (RankCorrelation kind : {RankCorrelation::spearman, RankCorrelation::kendall}) {
    const PermutationTest test = permutation_test(x, y, kind, 1);
    CHECK(test.exact);
    CHECK(test.permutations == 24);
    CHECK(test.p == doctest::Approx(2.0 / 24));  // this order and its reverse
  }
  // One pair of six out of order: of the 24 orders 1, 3, 5, 6, 5, 3 and 1 have 0 to 6 inversions.
  const std::vector<double> swapped{10, 20, 40, 30};
  CHECK(permutation_test(x, swapped, RankCorrelation::kendall, 1).p == doctest::Approx(8.0 / 24));
  // Equal values: y has six different orders, each four times; two are as far from 0 as this one.
  const std::vector<double> tied{1, 1, 2, 2};
  CHECK(permutation_test(x, tied, RankCorrelation::kendall, 1).p == doctest::Approx(8.0 / 24));
}

TEST_CASE("rank correlation: many pairs are tested over random permutations") {
  std::vector<double> x, with, against;
  for (int i = 0; i < 20; ++i) {
    x.push_back(i);
    with.push_back(i + (i % 3));
    against.push_back(i * 7 % 20);
  }
  const PermutationTest close = permutation_test(x, with, RankCorrelation::spearman, 1);
  CHECK(!close.exact);
  CHECK(close.p <= 1.0 / 20'000);
  const PermutationTest far = permutation_test(x, against, RankCorrelation::spearman, 1);
  // rho of random orders is about normal, of deviation 1 / sqrt(n - 1).
  const double expected =
      std::erfc(std::abs(spearman(x, against)) * std::sqrt(19.0) / std::sqrt(2.0));
  CHECK(std::abs(far.p - expected) < 0.03);
  CHECK(permutation_test(x, against, RankCorrelation::spearman, 1).p == far.p);
}

TEST_CASE("rank correlation: the bootstrap's interval holds the coefficient, and narrows") {
  const auto width = [](int n) {
    std::vector<double> x, y;
    for (int i = 0; i < n; ++i) {
      x.push_back(i);
      y.push_back(i + 4 * std::sin(3.7 * i));
    }
    const Interval found = bootstrap_interval(x, y, RankCorrelation::kendall, 1);
    const double tau = kendall(x, y);
    CHECK(found.low <= tau);
    CHECK(found.high >= tau);
    return found.high - found.low;
  };
  CHECK(width(40) < width(10));
  const std::vector<double> four{1, 2, 3, 4};
  CHECK(std::isnan(bootstrap_interval(four, four, RankCorrelation::kendall, 1).low));
}
