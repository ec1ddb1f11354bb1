#include "data/dataset.h"

#include <array>
#include <cmath>

#include "kernels/core/format.h"
#include "kernels/core/hash.h"

namespace topograd {

namespace {

/// Returns the shortest numbers that read back to the same bits, with commas between.
std::string numbers_text(const std::vector<double>& values) {
  std::string all;
  for (const double value : values) {
    if (!all.empty()) all += ',';
    all += shortest(value);
  }
  return all;
}

}  // namespace

Normalisation normalisation_named(std::string_view name) {
  if (name == "cifar10")
    return {{125.3 / 255, 123.0 / 255, 113.9 / 255}, {63.0 / 255, 62.1 / 255, 66.7 / 255}};
  if (name == "cifar100")
    return {{129.3 / 255, 124.1 / 255, 112.4 / 255}, {68.2 / 255, 65.4 / 255, 70.4 / 255}};
  if (name == "mnist") return {{0.1307}, {0.3081}};
  if (name == "fashion_mnist") return {{0.2860}, {0.3530}};
  if (name == "imagenet") return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  if (name == "kuangliu") return {{0.4914, 0.4822, 0.4465}, {0.2023, 0.1994, 0.2010}};
  if (name == "none") return {{0}, {1}};
  fail("unknown normalisation '", name,
       "': choose cifar10, cifar100, mnist, fashion_mnist, imagenet, kuangliu or none");
}

const std::vector<std::string>& normalisation_names() {
  static const std::vector<std::string> names = {"cifar10",  "cifar100", "mnist", "fashion_mnist",
                                                 "imagenet", "kuangliu", "none"};
  return names;
}

void check(const Normalisation& constants) {
  require(!constants.mean.empty() && !constants.std_dev.empty(),
          "--mean and --std belong together: give both, as in --mean 0.5,0.5,0.5 --std "
          "0.5,0.5,0.5");
  require(constants.mean.size() == constants.std_dev.size(), "--mean has ", constants.mean.size(),
          " values, --std ", constants.std_dev.size(), ": one of each for every channel");
  for (const double mean : constants.mean)
    require(mean >= 0 && mean <= 1, "--mean ", mean,
            " is out of range: pixels count from 0 to 1 (125.3 of 255 is 0.4914)");
  for (const double deviation : constants.std_dev)
    require(deviation > 0 && deviation <= 1, "--std ", deviation,
            " is out of range: pixels count from 0 to 1, and are divided by it (63 of 255 is "
            "0.2471)");
}

Normalisation for_channels(const Normalisation& constants, int64_t channels) {
  const auto count = static_cast<size_t>(channels);
  if (constants.mean.size() == 1)
    return {std::vector<double>(count, constants.mean[0]),
            std::vector<double>(count, constants.std_dev[0])};
  require(constants.mean.size() == count, "normalisation by ", constants.mean.size(),
          " means and deviations, but the images have ", channels,
          channels == 1 ? " channel" : " channels", ": give one of each for every channel");
  return constants;
}

std::string describe(const Normalisation& constants) {
  return "mean " + numbers_text(constants.mean) + " std " + numbers_text(constants.std_dev);
}

Dataset Dataset::first(int64_t n) const {
  Dataset result = *this;
  result.images = images.rows(0, n);
  result.labels = labels.rows(0, n);
  return result;
}

uint64_t Dataset::hash() const {
  const Shape& shape = images.shape();
  uint64_t hash = content_hash(shape.begin(), sizeof(int64_t) * static_cast<size_t>(shape.rank()));
  hash = content_hash(images.raw(), static_cast<size_t>(images.bytes()), hash);
  return content_hash(labels.raw(), static_cast<size_t>(labels.bytes()), hash);
}

Normalisation measured_normalisation(const Tensor& images) {
  const int64_t channels = images.dim(3);
  require(images.size() > 0, "the mean of no images");
  // Counting the 256 values first makes the sums exact: no rounding, whatever the order.
  std::vector<std::array<int64_t, 256>> histograms(static_cast<size_t>(channels));
  const uint8_t* pixels = images.data<uint8_t>();
  for (int64_t i = 0; i < images.size(); ++i)
    ++histograms[static_cast<size_t>(i % channels)][pixels[i]];
  const double count = static_cast<double>(images.size() / channels);
  Normalisation result;
  for (const auto& histogram : histograms) {
    double sum = 0;
    for (int v = 0; v < 256; ++v) sum += static_cast<double>(histogram[v]) * v;
    const double mean = sum / count;
    double squares = 0;
    for (int v = 0; v < 256; ++v)
      squares += static_cast<double>(histogram[v]) * (v - mean) * (v - mean);
    result.mean.push_back(mean / 255);
    // A channel of one constant value has no scale: half a grey level keeps the division finite.
    result.std_dev.push_back(std::max(std::sqrt(squares / count), 0.5) / 255);
  }
  return result;
}

}  // namespace topograd
