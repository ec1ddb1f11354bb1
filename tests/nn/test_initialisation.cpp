// Initial weights: the distributions of every kind, and their dependence on the seed.
#include "nn/initialisation.h"

#include <set>

#include "models/registry.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const float* values, int64_t count) {
  Moments m;
  for (int64_t i = 0; i < count; ++i) m.mean += values[i] / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    m.deviation += (values[i] - m.mean) * (values[i] - m.mean) / static_cast<double>(count - 1);
  m.deviation = std::sqrt(m.deviation);
  return m;
}

}  // namespace

// A sample of n normals has a mean within 4 / sqrt(n) deviations of 0 and a deviation within 4 /
// sqrt(2 n) of the true one, but for one sample in 16,000.
TEST_CASE("initialise: the reference's distributions, layer by layer") {
  const Graph graph = build_model({.name = "resnet14", .width = 8});
  const ParameterLayout& layout = graph.layout();
  const Tensor theta = normals(layout.parameter_count(), 1), running_stats = theta.clone();
  const Tensor own_states = running_stats.slice(0, {layout.state_count()});
  initialise(layout, 1, theta, own_states);
  for (const ParameterEntry& entry : layout.state_dict()) {
    CAPTURE(entry.name);
    const float* w = (is_state(entry.kind) ? own_states : theta).data<float>() + entry.offset;
    const auto all_are = [&](float value) {
      return std::all_of(w, w + entry.size(), [&](float x) { return x == value; });
    };
    if (entry.is_weight()) {
      const double inputs = static_cast<double>(entry.size() / entry.shape[0]);
      const double expected =
          entry.kind == ParameterKind::conv_weight ? std::sqrt(2 / inputs) : 1e-3;
      const double n = static_cast<double>(entry.size());
      const Moments m = moments_of(w, entry.size());
      CHECK(std::abs(m.mean) <= 4 * expected / std::sqrt(n));
      CHECK(std::abs(m.deviation / expected - 1) <= 4 / std::sqrt(2 * n));
    } else if (entry.kind == ParameterKind::norm_scale ||
               entry.kind == ParameterKind::bn_variance) {
      CHECK(all_are(1));
    } else {
      CHECK(all_are(0));
    }
  }
}

namespace {

struct Expected {
  bool uniform = true;
  double deviation = 0;  // 0: all zeros
};

/// `weight` is the weight that a bias belongs to, else the entry itself. Written from PyTorch's
/// shapes: OIHW, [outputs, inputs].
Expected expected_of(Initialisation kind, const ParameterEntry& entry,
                     const ParameterEntry& weight) {
  const Shape s = weight.torch_shape();
  const bool conv = s.rank() == 4, bias = entry.kind == ParameterKind::bias;
  const double receptive = conv ? static_cast<double>(s[2] * s[3]) : 1;
  const double in = static_cast<double>(s[1]) * receptive;
  const double out = static_cast<double>(s[0]) * receptive;
  const Expected torch_default{true, 1 / std::sqrt(3 * in)};  // of U(b): b / sqrt(3)
  switch (kind) {
    case Initialisation::kaiming_fan_in:
      return {false, bias ? 0 : conv ? std::sqrt(2 / in) : 1e-3};
    case Initialisation::kaiming_fan_out:
      if (!conv) return torch_default;
      return {false, bias ? 0 : std::sqrt(2 / out)};
    case Initialisation::xavier:
      return {true, bias ? 0 : std::sqrt(2 / (in + out))};
    case Initialisation::pytorch:
      return torch_default;
  }
  return {};
}

}  // namespace

// A uniform sample of n lies within sqrt(3) deviations, and its largest reaches 1 - 10 / n of that
// but for one sample in 20,000; its deviation varies less than a normal one's. A normal sample of
// 100 leaves that range but for one in 5,000.
TEST_CASE("initialise: every kind's distributions, layer by layer, biases too") {
  // VGG: convolutions and linear layers, both with biases.
  const Graph graph = build_model({.name = "vgg9", .width = 16});
  const ParameterLayout& layout = graph.layout();
  for (Initialisation kind : {Initialisation::kaiming_fan_in, Initialisation::kaiming_fan_out,
                              Initialisation::xavier, Initialisation::pytorch}) {
    CAPTURE(name_of(kind));
    CHECK(initialisation_named(name_of(kind)) == kind);
    const Tensor theta = normals(layout.parameter_count(), 1),
                 running_stats({layout.state_count()});
    initialise(layout, 2, theta, running_stats, kind);
    const ParameterEntry* weight = nullptr;
    int64_t biases = 0;
    for (const ParameterEntry& entry : layout.parameters()) {
      CAPTURE(entry.name);
      const float* w = theta.data<float>() + entry.offset;
      if (entry.kind == ParameterKind::norm_scale || entry.kind == ParameterKind::norm_shift) {
        const float value = entry.kind == ParameterKind::norm_scale ? 1 : 0;
        CHECK(std::all_of(w, w + entry.size(), [&](float x) { return x == value; }));
        continue;
      }
      if (entry.is_weight()) weight = &entry;
      const Expected expected = expected_of(kind, entry, *weight);
      const double n = static_cast<double>(entry.size());
      const Moments m = moments_of(w, entry.size());
      float largest = 0;
      for (int64_t i = 0; i < entry.size(); ++i) largest = std::max(largest, std::abs(w[i]));
      if (expected.deviation == 0) {
        CHECK(largest == 0);
        continue;
      }
      biases += entry.kind == ParameterKind::bias;
      CHECK(std::abs(m.mean) <= 4 * expected.deviation / std::sqrt(n));
      CHECK(std::abs(m.deviation / expected.deviation - 1) <= 4 / std::sqrt(2 * n));
      const double bound = std::sqrt(3) * expected.deviation;
      if (expected.uniform) {
        CHECK(largest <= bound * (1 + 1e-7));
        CHECK(largest >= bound * (1 - 10 / n));
      } else {
        CHECK(largest > bound);
      }
    }
    const bool draws = kind == Initialisation::pytorch || kind == Initialisation::kaiming_fan_out;
    CHECK((biases > 0) == draws);
  }
  CHECK(
      error_of([] { initialisation_named("zeros"); }) ==
      "unknown initialisation 'zeros': choose kaiming_fan_in, kaiming_fan_out, xavier or pytorch");
}

TEST_CASE("initialise: a seed gives the same bits, another seed and every layer others") {
  const Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  const ParameterLayout& layout = graph.layout();
  const auto weights = [&](uint64_t seed) {
    const Tensor theta({layout.parameter_count()}), running_stats({layout.state_count()});
    initialise(layout, seed, theta, running_stats);
    return theta;
  };
  const Tensor one = weights(1);
  CHECK(same_bits(one, weights(1)));
  CHECK(!same_bits(one, weights(2)));
  std::set<float> first;
  int64_t tensors = 0;
  for (const ParameterEntry& entry : layout.parameters())
    if (entry.kind == ParameterKind::conv_weight) {
      // In units of the layer's deviation: streams that repeat would show.
      first.insert(one.data<float>()[entry.offset] *
                   std::sqrt(static_cast<float>(entry.filter_size())));
      ++tensors;
    }
  CHECK(static_cast<int64_t>(first.size()) == tensors);
}
