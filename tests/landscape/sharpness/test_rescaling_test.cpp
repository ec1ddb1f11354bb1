// The test of a rescaling: logits that are compared, and losses along lines of a network and of
// itself rescaled.
#include "landscape/sharpness/rescaling_test.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "landscape/sharpness/panel_measures.h"
#include "landscape/sharpness/reparametrisation.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Tensor row(std::vector<float> values) {
  const Tensor t({1, static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), t.data<float>());
  return t;
}

}  // namespace

TEST_CASE("rescaling test: logits may differ by rounding, and by no more") {
  ReparametrisationTest test;
  compare_logits(test, row({-8, 4, 1}), row({-8, 4.004f, 1}));
  CHECK(test.largest_logit == 8);
  CHECK(test.largest_difference == doctest::Approx(0.004).epsilon(1e-4));
  const auto refused = [](std::vector<float> before, std::vector<float> after) {
    return error_of([&] {
      ReparametrisationTest other;
      compare_logits(other, row(std::move(before)), row(std::move(after)));
    });
  };
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(refused({-8, 4}, {-8, 4.01f}).starts_with("rescaling changed what the network computes"));
  CHECK(refused({-8, 4}, {kNaN, 4}).find("differ by what is no number") != std::string::npos);
  CHECK(refused({-8, kNaN}, {-8, 4}).find("differ by what is no number") != std::string::npos);
  CHECK(refused({kInfinity, 4}, {kInfinity, 4}).find("no number") != std::string::npos);
}

TEST_CASE("rescaling test: filter-normalised slices stay, plain ones move") {
  Graph g({6, 6, 3});
  const Value x = g.activation(g.batchnorm(g.conv(g.input(), 4)), Activation::relu);
  g.set_output(g.linear(g.global_average_pool(x), 3));
  const Weights w = random_weights(g, 3);
  const LabelledImages images = labelled_images(40, 6, 3, 1);
  const RescaledNetwork other = rescaled(g, w.theta, w.running_stats, 10);
  ThreadPool pool(2);
  NetworkLoss before(
      {.graph = g, .theta = w.theta, .running_stats = w.running_stats, .images = images}, pool);
  NetworkLoss after(
      {.graph = g, .theta = other.theta, .running_stats = other.running_stats, .images = images},
      pool);
  const std::vector<RescaledSlice> slices = slices_of(before, after, g.layout(), 5);
  REQUIRE(slices.size() == 2);
  CHECK(slices[0].name == "filter");
  CHECK(slices[1].name == "plain");
  for (const RescaledSlice& slice : slices) {
    REQUIRE(slice.alpha.size() == 41);
    CHECK(slice.alpha.front() == -1);
    CHECK(slice.alpha.back() == 1);
    CHECK(slice.before[20] == doctest::Approx(before.centre().loss).epsilon(1e-6));
    CHECK(slice.after[20] == doctest::Approx(before.centre().loss).epsilon(1e-5));
  }
  CHECK(slices[0].largest_difference() < 1e-4);
  CHECK(slices[1].largest_difference() > 0.01);
  CHECK(slices[0].before[30] != doctest::Approx(before.centre().loss).epsilon(1e-3));
}

TEST_CASE("sharpness settings: which measures are chosen, and what they depend on") {
  SharpnessSettings settings;
  const std::vector<std::string> all = settings.chosen();
  CHECK(all.size() == measure_kinds().size() - 1);
  CHECK(std::find(all.begin(), all.end(), "non_convex_share") == all.end());
  settings.measures = {"trace", "sam", "non_convex_share"};
  CHECK(settings.chosen() == std::vector<std::string>{"sam", "trace"});
  CHECK(settings.description_of("sam") == "rho 0.05, 1 step");
  CHECK(settings.description_of("trace") == "60 products, seed 1");
  CHECK(settings.description_of("pac_bayes_sigma") ==
        "error + 0.1, 20 directions, seed 1, to 0.01");
  for (const std::string& name : all) {
    CAPTURE(name);
    CHECK_NOTHROW(settings.description_of(name));
    CHECK(is_of_test_images(name) ==
          (name == "test_loss" || name == "test_error" || name == "gap"));
  }
  settings.measures = {"sam", "beauty"};
  CHECK_THROWS_AS(check(settings), Error);
  settings.measures = {};
  CHECK_THROWS_AS(check(settings), Error);
  settings.measures = {"all"};
  settings.target = 1;
  CHECK_THROWS_AS(check(settings), Error);
  settings.target_of = IncreaseOf::loss;
  CHECK_NOTHROW(check(settings));
}
