// Barriers: their height and place by hand, what is not finite, and that landscape line and
// landscape connect say the same of the same losses.
#include "landscape/surface/barrier.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "landscape/connectivity/connectivity_results.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// The barrier of these losses at t, as landscape connect has it.
Barrier on_a_path(const std::vector<double>& t, const std::vector<double>& losses) {
  PathValues path(t.size(), {"train"});
  path.values["train_loss"] = losses;
  return barrier_of(t, path, "train_loss");
}

}  // namespace

TEST_CASE("barrier: the largest rise above the chord") {
  const std::vector<double> x = {-0.5, 0, 0.25, 0.5, 0.75, 1, 1.5};
  // The chord from 1 to 3; what lies outside [0, 1] does not count.
  const auto barrier = barrier_between(x, {90, 1, 2, 5, 6, 3, kNaN}, 0, 1);
  REQUIRE(barrier);
  CHECK(barrier->height == 3.5);
  CHECK(barrier->at == 0.75);
  CHECK(barrier->from == 1);
  CHECK(barrier->to == 3);
  const auto valley = barrier_between(x, {90, 1, 0, 0, 0, 3, 80}, 0, 1);
  REQUIRE(valley);
  CHECK(valley->height == 0);
}

TEST_CASE("barrier: infinite where the path is, no number where a loss is none") {
  const std::vector<double> x = {0, 0.25, 0.5, 0.75, 1};
  struct Example {
    std::vector<double> losses;
    double height, at;
  };
  const std::vector<Example> examples = {
      {{1, 2, kInfinity, 9, 3}, kInfinity, 0.5},     {{1, 9, kNaN, 9, 3}, kNaN, 0.5},
      {{1, kNaN, 5, kNaN, 3}, kNaN, 0.25},           {{1, kNaN, 5, kInfinity, 3}, kInfinity, 0.75},
      {{1, kInfinity, kNaN, 5, 3}, kInfinity, 0.25}, {{kInfinity, 1, 1, 1, 1}, kNaN, 0},
      {{kNaN, kInfinity, 1, 1, 1}, kNaN, 0},         {{1, 1, 1, 1, kInfinity}, kNaN, 1},
      {{1, 1, kInfinity, 1, kNaN}, kNaN, 1},         {{1, -kInfinity, 1, 5, 1}, 4, 0.75},
  };
  for (const Example& example : examples) {
    const auto on_a_line = barrier_between(x, example.losses, 0, 1);
    REQUIRE(on_a_line);
    const Barrier found = on_a_path(x, example.losses);
    CAPTURE(example.losses[1]);
    CAPTURE(on_a_line->height);
    CHECK(same(on_a_line->height, example.height));
    CHECK(on_a_line->at == example.at);
    CHECK(same(found.height, example.height));
    CHECK(found.at == example.at);
  }
}

TEST_CASE("barrier: none where an end was not computed") {
  CHECK(!barrier_between({0, 0.5, 0.9}, {1, 2, 1}, 0, 1));
  CHECK(!barrier_between({0.1, 0.5, 1}, {1, 2, 1}, 0, 1));
  CHECK(!barrier_between({0, 0.5, 1}, {1, 2}, 0, 1));
  CHECK_THROWS_AS(on_a_path({0, 0.5}, {1, 2}), Error);
  CHECK_THROWS_AS(on_a_path({0, 0.5, 1}, {1, 2}), Error);
}

TEST_CASE("barrier: of accuracies it is how far they fall") {
  PathValues path(3, {"test"});
  path.values["test_acc"] = {80, 40, 90};
  const Barrier found = barrier_of({0, 0.5, 1}, path, "test_acc");
  CHECK(found.height == 45);
  CHECK(found.at == 0.5);
}
