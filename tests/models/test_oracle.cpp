// Every network of the zoo against PyTorch, in double precision: see make_oracle.py.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "kernels/core/philox.h"
#include "models/registry.h"
#include "nn/network.h"
#include "nn/safetensors.h"

using namespace topograd;

namespace {

constexpr int64_t kImages = 3;
/// With statistics of three images, 100 layers without shortcuts make 2e-6 of a rounding (1e-16);
/// for other networks it is below 1e-7. What is computed otherwise than it should be is off by far
/// more: a wrong epsilon of BatchNorm, 1e-3.
constexpr double kBatchTolerance = 1e-5;
enum Substream : uint32_t { kParameters, kStates, kPixels, kProbes };

/// Number `index` of a substream, in float: centre + spread * (2 u - 1).
float number(const Philox& random, int64_t index, double centre, double spread) {
  return static_cast<float>(centre +
                            spread * (2 * random.uniform(static_cast<uint64_t>(index)) - 1));
}

/// The numbers of one entry in our order, as doubles; PyTorch's order decides their indices.
void fill(const ParameterEntry& entry, Substream substream, double centre, double spread,
          const Tensor& flat) {
  const Philox random(0, RandomStream::test, substream);
  std::vector<float> torch(static_cast<size_t>(entry.size())), ours(torch.size());
  for (int64_t i = 0; i < entry.size(); ++i)
    torch[static_cast<size_t>(i)] = number(random, entry.offset + i, centre, spread);
  from_torch_order(entry, torch.data(), ours.data());
  std::copy(ours.begin(), ours.end(), flat.data<double>() + entry.offset);
}

Tensor weights_of(const ParameterLayout& layout) {
  const Tensor theta({layout.parameter_count()}, DType::f64);
  for (const ParameterEntry& entry : layout.parameters()) {
    const double filter = static_cast<double>(entry.filter_size());
    if (entry.is_weight())
      fill(entry, kParameters, 0, std::sqrt(6.0 / filter), theta);
    else if (entry.kind == ParameterKind::bn_scale)
      fill(entry, kParameters, 1, 0.5, theta);
    else
      fill(entry, kParameters, 0, 0.2, theta);
  }
  return theta;
}

Tensor states_of(const ParameterLayout& layout) {
  const Tensor states({layout.state_count()}, DType::f64);
  for (const ParameterEntry& entry : layout.states()) {
    if (entry.kind == ParameterKind::bn_variance)
      fill(entry, kStates, 1, 0.5, states);
    else
      fill(entry, kStates, 0, 0.2, states);
  }
  return states;
}

Tensor images_of(int64_t side) {
  const Philox random(0, RandomStream::test, kPixels);
  const Tensor x({kImages, side, side, 3}, DType::f64);
  for (int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = number(random, i, 0, 1.7);
  return x;
}

/// Each parameter's gradient times uniform numbers.
Tensor probed(const ParameterLayout& layout, const Tensor& gradient) {
  const Tensor probes({static_cast<int64_t>(layout.parameters().size())}, DType::f64);
  const Tensor direction({layout.parameter_count()}, DType::f64);
  int64_t index = 0;
  for (const ParameterEntry& entry : layout.parameters()) {
    fill(entry, kProbes, 0, 1, direction);
    double sum = 0;
    for (int64_t i = entry.offset; i < entry.offset + entry.size(); ++i)
      sum += gradient.data<double>()[i] * direction.data<double>()[i];
    probes.data<double>()[index++] = sum;
  }
  return probes;
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

/// "resnet20/A:8": name, option and side of the images.
struct Key {
  ModelSpec spec;

  explicit Key(const std::string& text) {
    const size_t colon = text.find(':');
    spec.name = text.substr(0, colon);
    spec.image_size = std::stoi(text.substr(colon + 1));
    if (!spec.name.ends_with("/A")) return;
    spec.shortcut = 'A';
    spec.name.resize(spec.name.size() - 2);
  }
};

}  // namespace

TEST_CASE("models: forward, inference and backward of the whole zoo equal PyTorch's") {
  const SafetensorsFile oracle =
      read_safetensors(std::string(TOPOGRAD_SOURCE_DIR) + "/tests/models/oracle.safetensors");
  std::set<std::string> keys, seen;
  for (const auto& [name, tensor] : oracle.tensors)
    if (name.ends_with("/loss")) keys.insert(name.substr(0, name.size() - 5));
  ThreadPool pool(0);
  for (const std::string& text : keys) {
    const Key key(text);
    seen.insert(key.spec.name);
    const Graph graph = build_model(key.spec);
    const ParameterLayout& layout = graph.layout();
    if (layout.parameter_count() > TOPOGRAD_ORACLE_LARGEST) continue;
    CAPTURE(text);
    const Tensor theta = weights_of(layout), states = states_of(layout);
    const Tensor gradient({layout.parameter_count()}, DType::f64);
    const Tensor x = images_of(key.spec.image_size), labels({kImages}, DType::i32);
    for (int64_t i = 0; i < kImages; ++i) labels.data<int32_t>()[i] = static_cast<int32_t>(3 * i);

    Network network(graph, kImages, pool, {.dtype = DType::f64});
    const Tensor& logits = oracle.tensors.at(text + "/logits");
    const int64_t n = kImages * 10;
    network.loss(x, labels, theta, states, BatchnormMode::frozen);
    CHECK(difference(network.logits().data<double>(), logits.data<double>() + n, n) < 1e-9);
    const BatchResult result =
        network.loss_and_gradient(gradient, x, labels, theta, states, BatchnormMode::batch);
    CHECK(difference(network.logits().data<double>(), logits.data<double>(), n) < kBatchTolerance);
    CHECK(difference(&result.loss, oracle.tensors.at(text + "/loss").data<double>(), 1) <
          kBatchTolerance);
    const Tensor probes = probed(layout, gradient);
    const Tensor& expected = oracle.tensors.at(text + "/gradient");
    REQUIRE(probes.size() == expected.size());
    CHECK(difference(probes.data<double>(), expected.data<double>(), probes.size()) <
          kBatchTolerance);
  }
  for (const std::string& name : model_names()) CHECK_MESSAGE(seen.count(name) == 1, name);
}
