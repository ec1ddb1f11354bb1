#include "data/label_noise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// i32 [count], all `value`.
Tensor constant_labels(int64_t count, int32_t value) {
  const Tensor labels({count}, DType::i32);
  for (int64_t i = 0; i < count; ++i) labels.data<int32_t>()[i] = value;
  return labels;
}

std::vector<int32_t> values(const Tensor& t) {
  return {t.data<int32_t>(), t.data<int32_t>() + t.size()};
}

/// Which images are chosen: the labels given are none of the classes.
std::vector<bool> chosen(int64_t count, double fraction, uint64_t seed) {
  std::vector<bool> marks;
  for (int32_t label : values(noisy_labels(constant_labels(count, -1), 10, fraction, seed)))
    marks.push_back(label >= 0);
  return marks;
}

int64_t count_of(const std::vector<bool>& marks) {
  return std::count(marks.begin(), marks.end(), true);
}

}  // namespace

TEST_CASE("label noise: the number of images is exact") {
  for (int64_t count : {0, 1, 2, 7, 10, 1001})
    for (double fraction : {0.0, 0.1, 0.25, 0.4, 0.5, 0.999, 1.0}) {
      CAPTURE(count);
      CAPTURE(fraction);
      CHECK(count_of(chosen(count, fraction, 1)) ==
            std::llround(fraction * static_cast<double>(count)));
    }
}

TEST_CASE("label noise: a function of seed and index; the caller's labels stay") {
  const Tensor labels = constant_labels(500, 3);
  const auto noisy = [&](uint64_t seed, double fraction) {
    return values(noisy_labels(labels, 10, fraction, seed));
  };
  CHECK(noisy(1, 0.4) == noisy(1, 0.4));
  CHECK(noisy(1, 0.4) != noisy(2, 0.4));
  CHECK(noisy(1, 0) == std::vector<int32_t>(500, 3));
  CHECK(values(labels) == std::vector<int32_t>(500, 3));
  // The new class does not depend on the old one, nor the choice on the classes.
  const Tensor others = constant_labels(500, 5);
  const std::vector<int32_t> a = noisy(1, 0.4), b = values(noisy_labels(others, 10, 0.4, 1));
  const std::vector<bool> marks = chosen(500, 0.4, 1), more = chosen(500, 0.6, 1);
  const std::vector<int32_t> c = noisy(1, 0.6);
  for (size_t i = 0; i < 500; ++i) {
    CHECK(a[i] == (marks[i] ? b[i] : 3));
    CHECK((!marks[i] || (more[i] && c[i] == a[i])));  // a larger fraction adds to a smaller one
  }
  // An image's new class is the same among fewer images.
  const std::vector<int32_t> all = noisy(1, 1);
  CHECK(values(noisy_labels(labels.rows(0, 100), 10, 1, 1)) ==
        std::vector<int32_t>(all.begin(), all.begin() + 100));
}

// Each of 10 classes gets 4,000 of 40,000 on average, with a deviation of 60; of 80,000 images,
// each tenth has 4,000 chosen, with a deviation of 42. Five deviations: one in 100,000 fails.
TEST_CASE("label noise: all classes and all images alike") {
  const int64_t count = 80'000;
  const std::vector<int32_t> labels = values(noisy_labels(constant_labels(count, -1), 10, 0.5, 1));
  std::vector<int64_t> of_class(10), of_part(10);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    REQUIRE(labels[i] < 10);
    ++of_class[static_cast<size_t>(labels[i])];
    ++of_part[i / 8'000];
  }
  for (size_t k = 0; k < 10; ++k) {
    CHECK(std::abs(of_class[k] - 4'000) < 300);
    CHECK(std::abs(of_part[k] - 4'000) < 210);
  }
}

TEST_CASE("label noise: no fraction is refused") {
  for (double fraction : {-0.1, 1.1, std::nan("")})
    CHECK(error_of([&] { noisy_labels(constant_labels(4, 0), 10, fraction, 1); }) ==
          text("a label noise of ", fraction, ": it is a fraction of the labels, 0 to 1"));
}
