#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "data/load.h"
#include "data/synthetic.h"
#include "data/synthetic_shapes.h"
#include "kernels/core/hash.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("synthetic: the same images on every machine, compiler and run") {
  // Pinned: a change of these numbers is a change of the data set, and every loss on it moves.
  CHECK(hex(synthetic_dataset(Split::train, 200, 32, 1).hash()) == "20ffe733c663eb51");
  CHECK(hex(synthetic_dataset(Split::test, 50, 17, 7).hash()) == "9eddbb8bfe94bef4");
}

TEST_CASE("synthetic: the default spec") {
  const DataSplits data = load_data({.synthetic_train = 100, .synthetic_test = 20});
  CHECK(data.train.name == "synthetic");
  CHECK(data.train.images.shape() == Shape{100, 32, 32, 3});
  CHECK(data.test.images.shape() == Shape{20, 32, 32, 3});
  CHECK(data.train.classes() == 10);
  CHECK(data.train.class_names == shape_names());
  for (int64_t i = 0; i < 100; ++i) CHECK(data.train.labels.data<int32_t>()[i] == i % 10);
}

TEST_CASE("synthetic: an image depends on its split, number and seed alone") {
  const Dataset many = synthetic_dataset(Split::train, 60, 16, 3);
  const Dataset few = synthetic_dataset(Split::train, 30, 16, 3);
  CHECK(many.first(30).hash() == few.hash());
  CHECK(synthetic_dataset(Split::test, 30, 16, 3).hash() != few.hash());
  CHECK(synthetic_dataset(Split::train, 30, 16, 4).hash() != few.hash());
}

TEST_CASE("synthetic: odd sizes are drawn, impossible ones refused") {
  for (int64_t size : {12, 13, 33, 64}) {
    const Dataset dataset = synthetic_dataset(Split::train, 10, size, 1);
    CHECK(dataset.height() == size);
    CHECK(dataset.width() == size);
  }
  CHECK(error_of([] { synthetic_dataset(Split::train, 10, 11, 1); }) ==
        "synthetic images of 11 pixels: choose 12 to 1024");
  CHECK(error_of([] { synthetic_dataset(Split::train, 0, 32, 1); }) ==
        "a synthetic data set of 0 images: ask for at least one");
}

TEST_CASE("synthetic: the stated normalisation is that of the images") {
  const Dataset dataset = synthetic_dataset(Split::train, 1000, 32, 1);
  const Normalisation measured = measured_normalisation(dataset.images);
  for (size_t c = 0; c < 3; ++c) {  // 1,000 random backgrounds: a mean within about 0.005
    CHECK(std::abs(measured.mean[c] - dataset.normalisation.mean[c]) <= 0.02);
    CHECK(std::abs(measured.std_dev[c] - dataset.normalisation.std_dev[c]) <= 0.02);
  }
}

TEST_CASE("synthetic: colours do not tell the class") {
  // The class means of a channel differ by chance alone: standard error 0.15 / sqrt(300) = 0.009.
  const Dataset dataset = synthetic_dataset(Split::train, 3000, 16, 5);
  for (int32_t label = 0; label < 10; ++label) {
    double sum = 0;
    for (int64_t i = label; i < 3000; i += 10) {
      const Tensor image = dataset.images.rows(i, i + 1);
      for (int64_t p = 0; p < image.size(); ++p) sum += image.data<uint8_t>()[p];
    }
    CHECK(std::abs(sum / (300 * 16 * 16 * 3) / 255 - 0.5) <= 0.05);
  }
}

TEST_CASE("synthetic: every shape is inside the unit disc, and no two are alike") {
  constexpr int kSteps = 81;
  std::vector<std::vector<bool>> masks;
  for (int label = 0; label < 10; ++label) {
    std::vector<bool> mask;
    int inside = 0;
    for (int y = 0; y < kSteps; ++y)
      for (int x = 0; x < kSteps; ++x) {
        const Point p{static_cast<float>(x) / 32 - 1.25f, static_cast<float>(y) / 32 - 1.25f};
        const float distance = shape_distance(label, p);
        REQUIRE(std::isfinite(distance));
        mask.push_back(distance < 0);
        inside += distance < 0;
        if (p.x * p.x + p.y * p.y > 1.01f * 1.01f) CHECK(distance >= 0);
      }
    CAPTURE(shape_names()[static_cast<size_t>(label)]);
    CHECK(inside > kSteps * kSteps / 20);
    for (const auto& other : masks) CHECK(mask != other);
    masks.push_back(mask);
  }
}
