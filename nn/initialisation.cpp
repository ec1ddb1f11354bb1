#include "nn/initialisation.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"

namespace topograd {

namespace {

constexpr double kLinearDeviation = 1e-3;  // the reference implementation's

void fill(const Tensor& t, float value) {
  std::fill_n(t.data<float>(), t.size(), value);
}

/// A distribution: N(0, scale), or uniform in [-scale, scale).
struct Distribution {
  bool uniform;
  double scale;
};

void draw(const Tensor& t, const Philox& random, const Distribution& distribution) {
  if (!distribution.uniform) {
    Context context;
    random_normal({.y = t, .random = random, .scale = distribution.scale}, context);
    return;
  }
  float* y = t.data<float>();
  for (int64_t i = 0; i < t.size(); ++i)
    y[i] =
        static_cast<float>(distribution.scale * (2 * random.uniform(static_cast<uint64_t>(i)) - 1));
}

double fan_in(const ParameterEntry& weight) {
  return static_cast<double>(weight.filter_size());
}

/// Filters times the window's pixels. A linear layer over an image has no window that moves.
double fan_out(const ParameterEntry& weight) {
  const bool conv = weight.kind != ParameterKind::linear_weight;
  return static_cast<double>(weight.filters() * (conv ? weight.shape[1] * weight.shape[2] : 1));
}

Distribution weights_of(const ParameterEntry& weight, Initialisation initialisation) {
  const bool conv = weight.kind != ParameterKind::linear_weight;
  switch (initialisation) {
    case Initialisation::kaiming_fan_in:
      return {false, conv ? std::sqrt(2.0 / fan_in(weight)) : kLinearDeviation};
    case Initialisation::kaiming_fan_out:
      if (conv) return {false, std::sqrt(2.0 / fan_out(weight))};
      break;
    case Initialisation::xavier:
      return {true, std::sqrt(6.0 / (fan_in(weight) + fan_out(weight)))};
    case Initialisation::pytorch:
      break;
  }
  return {true, 1 / std::sqrt(fan_in(weight))};
}

bool draws_biases_of(const ParameterEntry& weight, Initialisation initialisation) {
  return initialisation == Initialisation::pytorch ||
         (initialisation == Initialisation::kaiming_fan_out &&
          weight.kind == ParameterKind::linear_weight);
}

}  // namespace

Initialisation initialisation_named(const std::string& name) {
  for (Initialisation initialisation :
       {Initialisation::kaiming_fan_in, Initialisation::kaiming_fan_out, Initialisation::xavier,
        Initialisation::pytorch})
    if (name == name_of(initialisation)) return initialisation;
  fail("unknown initialisation '", name,
       "': choose kaiming_fan_in, kaiming_fan_out, xavier or pytorch");
}

std::string name_of(Initialisation initialisation) {
  switch (initialisation) {
    case Initialisation::kaiming_fan_in:
      return "kaiming_fan_in";
    case Initialisation::kaiming_fan_out:
      return "kaiming_fan_out";
    case Initialisation::xavier:
      return "xavier";
    case Initialisation::pytorch:
      return "pytorch";
  }
  return "?";
}

void initialise(const ParameterLayout& layout, uint64_t seed, const Tensor& theta,
                const Tensor& running_stats, Initialisation initialisation) {
  theta.fill_zero();  // biases and BatchNorm's shifts
  running_stats.fill_zero();
  uint32_t number = 0;
  const ParameterEntry* weight = nullptr;  // a bias follows the weight it belongs to
  for (const ParameterEntry& entry : layout.parameters()) {
    const Tensor w = theta.slice(entry.offset, entry.shape);
    const Philox random(seed, RandomStream::initialisation, number++);
    if (entry.kind == ParameterKind::norm_scale) fill(w, 1);
    if (entry.kind == ParameterKind::factor || entry.kind == ParameterKind::summand)
      fill(w, static_cast<float>(entry.initial));
    if (entry.is_weight()) {
      weight = &entry;
      draw(w, random, weights_of(entry, initialisation));
    }
    if (entry.kind == ParameterKind::bias && draws_biases_of(*weight, initialisation))
      draw(w, random, {true, 1 / std::sqrt(fan_in(*weight))});
  }
  for (const ParameterEntry& entry : layout.running_stats())
    if (entry.kind == ParameterKind::bn_variance)
      fill(running_stats.slice(entry.offset, entry.shape), 1);
}

}  // namespace topograd
