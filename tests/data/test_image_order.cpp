// Stratified orders: every prefix is nearly stratified, and the choice within a class is random.
#include "data/image_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

using namespace topograd;

namespace {

/// Labels of classes of these sizes, one class after the other.
std::vector<int32_t> labels_of(const std::vector<int64_t>& sizes) {
  std::vector<int32_t> labels;
  for (size_t c = 0; c < sizes.size(); ++c)
    labels.insert(labels.end(), static_cast<size_t>(sizes[c]), static_cast<int32_t>(c));
  return labels;
}

/// The largest difference of a prefix's number of a class and that class's share of it.
double largest_deviation(const std::vector<int32_t>& labels, const std::vector<int32_t>& order) {
  std::map<int32_t, double> shares, counts;
  for (int32_t label : labels) shares[label] += 1.0 / static_cast<double>(labels.size());
  double largest = 0;
  for (size_t n = 0; n < order.size(); ++n) {
    counts[labels[static_cast<size_t>(order[n])]] += 1;
    for (const auto& [label, share] : shares)
      largest = std::max(largest, std::abs(counts[label] - share * static_cast<double>(n + 1)));
  }
  return largest;
}

}  // namespace

TEST_CASE("image order: a permutation whose prefixes have each class's share") {
  for (const auto& sizes :
       {std::vector<int64_t>{500, 500, 500, 500}, {1000, 10, 1, 300}, {7}, {3, 4}}) {
    const auto labels = labels_of(sizes);
    auto order = stratified_order(labels, 1);
    CHECK(largest_deviation(labels, order) <= 1.5);
    std::sort(order.begin(), order.end());
    std::vector<int32_t> all(labels.size());
    std::iota(all.begin(), all.end(), 0);
    CHECK(order == all);
  }
  CHECK(stratified_order({}, 1).empty());
}

TEST_CASE("image order: with classes of one size, counts differ by one at most") {
  const auto labels = labels_of(std::vector<int64_t>(10, 30));
  const auto order = stratified_order(labels, 5);
  std::vector<int> counts(10);
  for (int32_t image : order) {
    ++counts[static_cast<size_t>(labels[static_cast<size_t>(image)])];
    const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
    CHECK(*high - *low <= 1);
  }
}

TEST_CASE("image order: Sainte-Lague's apportionment, by its divisors") {
  const std::vector<int64_t> sizes = {53, 24, 23};
  const auto labels = labels_of(sizes);
  const auto order = stratified_order(labels, 3);
  std::vector<int64_t> counts(3);
  std::vector<int64_t> seats(3);  // each to the largest size / (2 seats + 1)
  for (size_t n = 0; n < 10; ++n) {
    ++counts[static_cast<size_t>(labels[static_cast<size_t>(order[n])])];
    size_t best = 0;
    for (size_t c = 1; c < 3; ++c)
      if (sizes[c] * (2 * seats[best] + 1) > sizes[best] * (2 * seats[c] + 1)) best = c;
    ++seats[best];
    CHECK(counts == seats);
  }
}

TEST_CASE("image order: the seed alone decides, and no image is favoured") {
  const auto labels = labels_of({40, 40});
  CHECK(stratified_order(labels, 1) == stratified_order(labels, 1));
  CHECK(stratified_order(labels, 1) != stratified_order(labels, 2));
  std::vector<int> chosen(80);
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const auto order = stratified_order(labels, seed);
    for (size_t n = 0; n < 20; ++n) ++chosen[static_cast<size_t>(order[n])];
  }
  // 400 draws of probability 1/4: 100 on average, with a deviation of 8.7; six of them.
  for (int count : chosen) CHECK(std::abs(count - 100) <= 52);
}
