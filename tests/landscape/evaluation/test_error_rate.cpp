// Intervals of error rates against published values and against the hypergeometric distribution.
#include "landscape/evaluation/error_rate.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/check.h"

using namespace topograd;

namespace {

/// Probability of so many wrong ones in a sample without replacement.
double hypergeometric(int64_t wrong, int64_t images, int64_t all_wrong, int64_t population) {
  const auto log_choose = [](double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
  };
  const auto d = [](int64_t n) { return static_cast<double>(n); };
  if (wrong > all_wrong || images - wrong > population - all_wrong) return 0;
  return std::exp(log_choose(d(all_wrong), d(wrong)) +
                  log_choose(d(population - all_wrong), d(images - wrong)) -
                  log_choose(d(population), d(images)));
}

}  // namespace

TEST_CASE("error rate: Wilson's intervals, as Newcombe's tables have them") {
  // R. Newcombe, "Two-sided confidence intervals for the single proportion", table I, method 3.
  const IntervalEstimate many = error_rate(81, 263), few = error_rate(15, 148);
  CHECK(many.low == doctest::Approx(0.2553).epsilon(1e-3));
  CHECK(many.high == doctest::Approx(0.3662).epsilon(1e-3));
  CHECK(few.low == doctest::Approx(0.0624).epsilon(2e-3));
  CHECK(few.high == doctest::Approx(0.1605).epsilon(1e-3));
  const IntervalEstimate none = error_rate(0, 20), one = error_rate(1, 29);
  CHECK(none.low == 0);
  CHECK(none.high == doctest::Approx(0.1611).epsilon(1e-3));
  CHECK(one.low == doctest::Approx(0.0061).epsilon(1e-2));
  CHECK(one.high == doctest::Approx(0.1718).epsilon(1e-3));
  CHECK(none.standard_error() > 0);
  const IntervalEstimate all = error_rate(64, 64);
  CHECK(all.value == 1);
  CHECK(all.high == 1);
  CHECK(all.low == doctest::Approx(1 - error_rate(0, 64).high));
}

TEST_CASE("error rate: all images of a set leave nothing open") {
  const IntervalEstimate all = error_rate(3, 50, 50);
  CHECK(all.low == all.value);
  CHECK(all.high == all.value);
  CHECK(all.standard_error() == 0);
  CHECK(error_rate(3, 50, 100).high < error_rate(3, 50).high);
  CHECK(error_rate(3, 50, 1 << 30).high == doctest::Approx(error_rate(3, 50).high).epsilon(1e-6));
  CHECK_THROWS_AS(error_rate(3, 50, 49), Error);
  CHECK_THROWS_AS(error_rate(51, 50), Error);
}

TEST_CASE("error rate: intervals for a set hold its rate as often as they say") {
  constexpr int64_t population = 1000;
  for (int64_t images : {64, 500})
    for (int64_t all_wrong : {20, 65, 200, 500}) {
      CAPTURE(images);
      CAPTURE(all_wrong);
      double held = 0;
      for (int64_t wrong = 0; wrong <= images; ++wrong) {
        const IntervalEstimate found = error_rate(wrong, images, population);
        const double rate = static_cast<double>(all_wrong) / static_cast<double>(population);
        if (found.low <= rate && rate <= found.high)
          held += hypergeometric(wrong, images, all_wrong, population);
      }
      CHECK(held >= 0.92);
      CHECK(held <= 0.99);
    }
}

TEST_CASE("error rate: differences by Newcombe's hybrid interval") {
  // R. Newcombe, "Interval estimation for the difference", table II, method 10: 56/70 - 48/80.
  const IntervalEstimate found = difference(error_rate(56, 70), error_rate(48, 80));
  CHECK(found.value == doctest::Approx(0.2));
  CHECK(found.low == doctest::Approx(0.0524).epsilon(2e-3));
  CHECK(found.high == doctest::Approx(0.3339).epsilon(1e-3));
}
