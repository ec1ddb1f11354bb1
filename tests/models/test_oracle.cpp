// Every network of the zoo against PyTorch, in double precision: see make_oracle.py.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "kernels/core/numbers.h"
#include "models/registry.h"
#include "nn/network.h"
#include "nn/safetensors.h"

using namespace topograd;

namespace {

constexpr int64_t kImages = 3;
/// Tolerances for statistics of three images, with which 100 layers without shortcuts make 2e-6 of
/// a rounding (1e-16); for other networks it is below 1e-7. What is computed otherwise than it
/// should be is off by far more: a wrong epsilon of BatchNorm, 1e-3.
constexpr double kBatchTolerance = 1e-5;
enum Substream : uint32_t { kParameters, kStates, kPixels, kProbes, kDirection };

/// SplitMix64 of the index, as a number in [0, 1): Philox would be most of this test.
double uniform(Substream substream, int64_t index) {
  uint64_t z = static_cast<uint64_t>(index) + (uint64_t{substream} << 40);
  z *= 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

struct Range {
  double centre, spread;
};

/// A number of the range, in float.
float number(Substream substream, int64_t index, Range range) {
  return static_cast<float>(range.centre + range.spread * (2 * uniform(substream, index) - 1));
}

/// The numbers of one entry in our order, as doubles; PyTorch's order decides their indices.
void fill(const ParameterEntry& entry, Substream substream, Range range, const Tensor& flat) {
  std::vector<float> torch(static_cast<size_t>(entry.size())), ours(torch.size());
  for (int64_t i = 0; i < entry.size(); ++i)
    torch[static_cast<size_t>(i)] = number(substream, entry.offset + i, range);
  from_torch_order(entry, torch.data(), ours.data());
  std::copy(ours.begin(), ours.end(), flat.data<double>() + entry.offset);
}

/// A flat vector of all entries, each in its range.
template <class RangeOf>
Tensor filled(const std::vector<ParameterEntry>& entries, int64_t size, Substream substream,
              ThreadPool& pool, RangeOf range_of) {
  const Tensor flat({size}, DType::f64);
  pool.for_each(static_cast<int64_t>(entries.size()), [&](int64_t i, Context&) {
    const ParameterEntry& entry = entries[static_cast<size_t>(i)];
    fill(entry, substream, range_of(entry), flat);
  });
  return flat;
}

Range weight_range(const ParameterEntry& entry) {
  if (entry.is_weight()) return {0, std::sqrt(6.0 / static_cast<double>(entry.filter_size()))};
  if (entry.kind == ParameterKind::norm_scale) return {1, 0.5};
  return {0, 0.2};
}

Range state_range(const ParameterEntry& entry) {
  return entry.kind == ParameterKind::bn_variance ? Range{1, 0.5} : Range{0, 0.2};
}

Tensor images_of(int64_t side) {
  const Tensor x({kImages, side, side, 3}, DType::f64);
  for (int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = number(kPixels, i, {0, 1.7});
  return x;
}

/// Each parameter's gradient times uniform numbers.
Tensor probed(const ParameterLayout& layout, const Tensor& gradient, ThreadPool& pool) {
  const Tensor probes({static_cast<int64_t>(layout.parameters().size())}, DType::f64);
  const Tensor direction = filled(layout.parameters(), layout.parameter_count(), kProbes, pool,
                                  [](const ParameterEntry&) {
                                    return Range{0, 1};
                                  });
  int64_t index = 0;
  for (const ParameterEntry& entry : layout.parameters()) {
    double sum = 0;
    for (int64_t i = entry.offset; i < entry.offset + entry.size(); ++i)
      sum += gradient.data<double>()[i] * direction.data<double>()[i];
    probes.data<double>()[index++] = sum;
  }
  return probes;
}

/// Labels 0, 3, 6.
Tensor labels_of_images() {
  const Tensor labels({kImages}, DType::i32);
  for (int64_t i = 0; i < kImages; ++i) labels.data<int32_t>()[i] = static_cast<int32_t>(3 * i);
  return labels;
}

/// The largest difference, relative to the expected values' root mean square.
double difference(const double* got, const double* expected, int64_t n) {
  double squares = 0, largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    squares += expected[i] * expected[i];
    const double d = std::fabs(got[i] - expected[i]);
    largest = d <= largest ? largest : d;  // NaN gets through
  }
  return largest / std::sqrt(squares / static_cast<double>(n));
}

/// |got - expected| / |expected|.
double relative_error(const double* got, const double* expected, int64_t n) {
  double squares = 0, differences = 0;
  for (int64_t i = 0; i < n; ++i) {
    squares += expected[i] * expected[i];
    differences += (got[i] - expected[i]) * (got[i] - expected[i]);
  }
  return std::sqrt(differences / squares);
}

/// "resnet20/A:8": name, what is special about it, side of the images.
struct Key {
  ModelSpec spec;
  BatchnormMode mode = BatchnormMode::batch;

  explicit Key(const std::string& text) {
    const size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    spec.name = name.substr(0, name.find('/'));
    spec.image_size = std::stoi(text.substr(colon + 1));
    if (name.ends_with("/A")) spec.shortcut = 'A';
    if (name.ends_with("/frozen")) mode = BatchnormMode::frozen;
  }
};

}  // namespace

TEST_CASE("models: forward, inference and backward of the whole zoo equal PyTorch's") {
  const SafetensorsFile oracle =
      read_safetensors(text(TOPOGRAD_SOURCE_DIR, "/tests/models/oracle.safetensors"));
  std::set<std::string> keys, seen;
  for (const auto& [name, tensor] : oracle.tensors)
    if (name.ends_with("/loss")) keys.insert(name.substr(0, name.size() - 5));
  const char* limit = std::getenv("TOPOGRAD_TEST_LARGEST");
  const double largest = limit ? std::stod(limit) : kInfinity;
  ThreadPool pool(0);
  for (const std::string& text : keys) {
    const Key key(text);
    seen.insert(key.spec.name);
    const Graph graph = build_model(key.spec);
    const ParameterLayout& layout = graph.layout();
    if (static_cast<double>(layout.parameter_count()) > largest) continue;
    CAPTURE(text);
    const Tensor theta =
        filled(layout.parameters(), layout.parameter_count(), kParameters, pool, weight_range);
    const Tensor running_stats =
        filled(layout.running_stats(), layout.state_count(), kStates, pool, state_range);
    const Tensor gradient({layout.parameter_count()}, DType::f64);
    const Tensor x = images_of(key.spec.image_size), labels = labels_of_images();

    Network network(graph, kImages, pool, {.dtype = DType::f64});
    const Tensor& logits = oracle.tensors.at(text + "/logits");
    const int64_t n = kImages * 10;
    network.loss(x, labels, theta, running_stats, BatchnormMode::frozen);
    CHECK(difference(network.logits().data<double>(), logits.data<double>() + n, n) < 1e-9);
    const BatchResult result =
        network.loss_and_gradient(gradient, x, labels, theta, running_stats, key.mode);
    CHECK(difference(network.logits().data<double>(), logits.data<double>(), n) < kBatchTolerance);
    CHECK(difference(&result.loss, oracle.tensors.at(text + "/loss").data<double>(), 1) <
          kBatchTolerance);
    const Tensor probes = probed(layout, gradient, pool);
    const Tensor& expected = oracle.tensors.at(text + "/gradient");
    REQUIRE(probes.size() == expected.size());
    CHECK(difference(probes.data<double>(), expected.data<double>(), probes.size()) <
          kBatchTolerance);
  }
  for (const std::string& name : model_names()) CHECK_MESSAGE(seen.count(name) == 1, name);
}

TEST_CASE("models: products with the Hessian equal PyTorch's double backward") {
  const SafetensorsFile oracle =
      read_safetensors(text(TOPOGRAD_SOURCE_DIR, "/tests/models/curvature.safetensors"));
  ThreadPool pool(0);
  for (const auto& entry : oracle.tensors) {
    const std::string& name = entry.first;
    const Tensor& expected = entry.second;
    CAPTURE(name);
    const size_t slash = name.rfind('/');
    const Key key(name.substr(0, slash));
    const auto mode =
        name.substr(slash) == "/frozen_product" ? BatchnormMode::frozen : BatchnormMode::batch;
    const Graph graph = build_model(key.spec);
    const ParameterLayout& layout = graph.layout();
    const int64_t n = layout.parameter_count();
    const Tensor theta = filled(layout.parameters(), n, kParameters, pool, weight_range);
    const Tensor running_stats =
        filled(layout.running_stats(), layout.state_count(), kStates, pool, state_range);
    const Tensor v = filled(layout.parameters(), n, kDirection, pool, [](const ParameterEntry&) {
      return Range{0, 1};
    });
    const Tensor x = images_of(key.spec.image_size);
    const auto error_in = [&](DType dtype) {
      Network network(graph, kImages, pool, {.dtype = dtype, .curvature = true});
      const Tensor product({n}, dtype);
      network.curvature_product(product, v.converted(dtype), x.converted(dtype), labels_of_images(),
                                theta.converted(dtype), running_stats.converted(dtype), mode);
      const Tensor probes = probed(layout, product.converted(DType::f64), pool);
      REQUIRE(probes.size() == expected.size());
      return relative_error(probes.data<double>(), expected.data<double>(), probes.size());
    };
    CHECK(error_in(DType::f64) < kBatchTolerance);
    // Statistics of three images: of a single pixel in VGG-9's last layers, a rounding grows
    // from layer to layer.
    CHECK(error_in(DType::f32) < (mode == BatchnormMode::frozen ? 1e-5 : 1e-2));
  }
}
