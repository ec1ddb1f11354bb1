// Samples of a result's points, and what they can tell.
#include "landscape/verification/sample.h"

#include <cmath>

#include "landscape/verification/agreement.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

PointSample numbered(int64_t first_mask, int64_t second_mask) {
  PointSample points;
  for (int64_t i = 0; i < first_mask; ++i) points["a"].push_back(2 * i);
  for (int64_t i = 0; i < second_mask; ++i) points["b"].push_back(i);
  return points;
}

Record plane(std::vector<double> values) {
  Record record{"surface", "", {{"images", "200"}}, {"y", "x"}};
  const auto nx = static_cast<int64_t>(values.size() / 2);
  for (const char* axis : {"x", "y"}) {
    std::vector<double> at;
    for (int64_t i = 0; i < (*axis == 'x' ? nx : 2); ++i) at.push_back(static_cast<double>(i));
    record.add_series(axis, axis, at);
  }
  record.add({.name = "train_acc", .shape = {2, nx}, .numbers = values, .axes = {"y", "x"}}).mask =
      "done";
  for (double& value : values) value = -value;
  record.add({.name = "train_loss", .shape = {2, nx}, .numbers = values, .axes = {"y", "x"}}).mask =
      "done";
  record.add_mask("done", {"y", "x"}, {2, nx}, std::vector<uint8_t>(values.size(), 1));
  return record;
}

}  // namespace

TEST_CASE("verification: every point is drawn as often as any other, and none twice") {
  const PointSample points = numbered(7, 5);
  CHECK(count_of(points) == 12);
  CHECK(sample_of(points, 3, 1) == sample_of(points, 3, 1));
  CHECK(sample_of(points, 12, 1) == points);
  CHECK(sample_of(points, 100, 1) == points);
  std::map<std::pair<std::string, int64_t>, int> drawn;
  constexpr int kSamples = 20000, kCount = 3;
  for (int seed = 0; seed < kSamples; ++seed) {
    const PointSample sample = sample_of(points, kCount, static_cast<uint64_t>(seed));
    CHECK(count_of(sample) == kCount);
    for (const auto& [mask, indices] : sample)
      for (const int64_t index : indices) ++drawn[{mask, index}];
  }
  REQUIRE(drawn.size() == 12);
  const double expected = kSamples * kCount / 12.0;  // deviation 61
  for (const auto& [point, count] : drawn) CHECK(std::abs(count - expected) < 5 * 61);
}

TEST_CASE("verification: altered points are noticed as often as is said") {
  CHECK(probability_of_noticing(1000, 20, 1) == doctest::Approx(0.02));
  CHECK(probability_of_noticing(10, 3, 2) == doctest::Approx(1 - (8. * 7 * 6) / (10. * 9 * 8)));
  CHECK(probability_of_noticing(10, 8, 3) == 1);
  CHECK(probability_of_noticing(10, 0, 3) == 0);
  CHECK(fewest_noticed(1000, 1000, 0.95) == 1);
  CHECK(probability_of_noticing(961, 20, fewest_noticed(961, 20, 0.95)) >= 0.95);
  CHECK(probability_of_noticing(961, 20, fewest_noticed(961, 20, 0.95) - 1) < 0.95);
  // By drawing: 3 altered of 12 points, samples of 4.
  const PointSample points = numbered(7, 5);
  int noticed = 0;
  constexpr int kSamples = 20000;
  for (int seed = 0; seed < kSamples; ++seed) {
    const PointSample sample = sample_of(points, 4, static_cast<uint64_t>(seed));
    const auto has = [&](const std::string& mask, int64_t index) {
      const auto found = sample.find(mask);
      return found != sample.end() &&
             std::find(found->second.begin(), found->second.end(), index) != found->second.end();
    };
    noticed += has("a", 0) || has("a", 12) || has("b", 2);
  }
  CHECK(std::abs(noticed / double(kSamples) - probability_of_noticing(12, 4, 3)) < 0.015);
}

TEST_CASE("verification: a sample's points alone are compared; NaN is found by NaN alone") {
  const Record stated = plane({90, 80, 70, 60, 50, 40});
  Record found = plane({90, 80, 70, 60, 50, 40});
  const PointSample sample = {{"done", {1, 5}}};
  CHECK(agreement_of(stated, found, &sample, 0).numbers == 4);
  CHECK(agreement_of(stated, found, nullptr, 0).same_bits == 12 + 5);
  const auto loss = [](Record& record) -> std::vector<double>& { return record.arrays[3].numbers; };
  REQUIRE(found.arrays[3].name == "train_loss");
  loss(found)[0] = 7;  // not of the sample
  CHECK(agreement_of(stated, found, &sample, 0).deviating.empty());
  loss(found)[5] = std::nan("");
  const Agreement agreement = agreement_of(stated, found, &sample, 1);
  REQUIRE(agreement.deviating.size() == 1);
  CHECK(agreement.deviating[0].where == "x = 2, y = 1");
  CHECK(agreement.same_bits == 3);
  Record altered = stated;
  loss(altered)[5] = std::nan("");
  CHECK(agreement_of(altered, found, &sample, 0).deviating.empty());
}

TEST_CASE("verification: numbers agree within the tolerance, accuracies within an image") {
  const Record stated = plane({90, 80, 70, 60, 50, 40});
  Record found = plane({90, 80.5, 70, 60, 50, 40.6});  // an image of 200 is 0.5 %
  const PointSample sample = {{"done", {1}}}, both = {{"done", {1, 5}}};
  CHECK(agreement_of(stated, found, &sample, 1e-5).deviating.size() == 1);  // the loss
  CHECK(agreement_of(stated, found, &sample, 0.01).deviating.empty());
  CHECK(agreement_of(stated, found, &sample, 0.01).largest_difference ==
        doctest::Approx(0.5 / 80.5));
  CHECK(agreement_of(stated, found, &both, 0.001).deviating.size() == 3);
}

TEST_CASE("verification: points taken out are to do, and their values gone") {
  const Record holes = without(plane({90, 80, 70, 60, 50, 40}), {{"done", {2}}});
  CHECK(holes.find("done")->numbers == std::vector<double>{1, 1, 0, 1, 1, 1});
  CHECK(std::isnan(holes.find("train_loss")->numbers[2]));
  CHECK(holes.find("train_acc")->numbers[3] == 60);
}
