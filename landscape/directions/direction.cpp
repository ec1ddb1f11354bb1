#include "landscape/directions/direction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"

namespace topograd {

namespace {

constexpr double kEpsilon = 1e-10;  // the paper's authors' guard against a filter of zeros

/// Returns the one of `choices` that has this name. Throws Error, listing them, if none has.
template <class Choices>
auto choice_named(std::string_view what, std::string_view name, const Choices& choices) {
  std::string list;
  for (const auto choice : choices) {
    if (name == name_of(choice)) return choice;
    list += (list.empty() ? "" : ", ") + std::string(name_of(choice));
  }
  fail("unknown ", what, " '", name, "': choose one of ", list);
}

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

double norm_of(const float* v, int64_t n) {
  return std::sqrt(dot(v, v, n));
}

/// Draws normals for one weight in PyTorch's order and stores them in ours.
void draw(const ParameterEntry& entry, const Philox& random, Context& context, float* d) {
  const Tensor drawn({entry.size()});
  random_normal({.y = drawn, .random = random, .first = static_cast<uint64_t>(entry.offset)},
                context);
  from_torch_order(entry, drawn.data<float>(), d);
}

void check_vector(const Tensor& vector, int64_t size, std::string_view what) {
  require(vector.defined(), "a direction needs the network's ", what);
  require(vector.size() == size && vector.dtype() == DType::f32, "a direction needs ", size,
          " f32 ", what, ", got ", vector.size(), " of ", name_of(vector.dtype()));
}

Tensor subtract(const Tensor& to, const Tensor& from) {
  require(to.defined() && from.defined() && to.size() == from.size(), "two networks of ",
          from.size(), " and ", to.size(),
          " numbers have no difference: they must be the same model");
  Tensor result({to.size()});
  for (int64_t i = 0; i < to.size(); ++i)
    result.data<float>()[i] = to.data<float>()[i] - from.data<float>()[i];
  return result;
}

}  // namespace

std::string_view name_of(DirectionNorm norm) {
  switch (norm) {
    case DirectionNorm::filter:
      return "filter";
    case DirectionNorm::layer:
      return "layer";
    case DirectionNorm::weight:
      return "weight";
    case DirectionNorm::dfilter:
      return "dfilter";
    case DirectionNorm::dlayer:
      return "dlayer";
    case DirectionNorm::none:
      return "none";
  }
  return "?";
}

DirectionNorm direction_norm_named(std::string_view name) {
  using enum DirectionNorm;
  return choice_named("norm", name, std::array{filter, layer, weight, dfilter, dlayer, none});
}

std::string random_direction_text(DirectionNorm norm) {
  switch (norm) {
    case DirectionNorm::filter:
      return "filter-normalised random direction";
    case DirectionNorm::layer:
      return "layer-normalised random direction";
    case DirectionNorm::weight:
      return "weight-scaled random direction";
    case DirectionNorm::dfilter:
      return "random direction, unit filters";
    case DirectionNorm::dlayer:
      return "random direction, unit layers";
    case DirectionNorm::none:
      return "random direction";
  }
  return {};
}

std::string_view name_of(Ignore ignore) {
  return ignore == Ignore::biasbn ? "biasbn" : "none";
}

Ignore ignore_named(std::string_view name) {
  return choice_named("ignore", name, std::array{Ignore::biasbn, Ignore::none});
}

std::string_view name_of(DirectionType type) {
  return type == DirectionType::weights ? "weights" : "states";
}

DirectionType direction_type_named(std::string_view name) {
  return choice_named("direction type", name,
                      std::array{DirectionType::weights, DirectionType::states});
}

void normalise(const ParameterEntry& entry, DirectionNorm norm, const float* w, float* d) {
  if (norm == DirectionNorm::none || entry.size() == 0) return;
  if (norm == DirectionNorm::weight) {
    for (int64_t i = 0; i < entry.size(); ++i) d[i] *= w[i];
    return;
  }
  const bool per_filter = norm == DirectionNorm::filter || norm == DirectionNorm::dfilter;
  const bool like_weight = norm == DirectionNorm::filter || norm == DirectionNorm::layer;
  const int64_t length = per_filter ? entry.filter_size() : entry.size();
  for (int64_t begin = 0; begin < entry.size(); begin += length) {
    const double wanted = like_weight ? norm_of(w + begin, length) : 1.0;
    const double scale = wanted / (norm_of(d + begin, length) + (per_filter ? kEpsilon : 0.0));
    for (int64_t i = begin; i < begin + length; ++i) d[i] = static_cast<float>(scale * d[i]);
  }
}

Direction random_direction(const ParameterLayout& layout, const Tensor& theta,
                           const Tensor& running_stats, uint64_t seed, uint32_t number,
                           DirectionNorm norm, Ignore ignore, DirectionType type) {
  check_vector(theta, layout.parameter_count(), "parameters");
  const Philox random(seed, RandomStream::direction, number);
  Direction direction{.parameters = Tensor({layout.parameter_count()}), .running_stats = {}};
  Context context;
  for (const ParameterEntry& entry : layout.parameters()) {
    const float* w = theta.data<float>() + entry.offset;
    float* d = direction.parameters.data<float>() + entry.offset;
    if (entry.is_weight()) {
      draw(entry, random, context, d);
      normalise(entry, norm, w, d);
    } else if (ignore == Ignore::biasbn) {
      std::fill_n(d, entry.size(), 0.0f);
    } else {
      std::copy_n(w, entry.size(), d);
    }
  }
  if (type == DirectionType::states) {
    check_vector(running_stats, layout.state_count(), "running statistics");
    direction.running_stats =
        ignore == Ignore::biasbn ? Tensor::zeros({running_stats.size()}) : running_stats.clone();
  }
  return direction;
}

Direction difference(const Tensor& theta_from, const Tensor& theta_to, const Tensor& states_from,
                     const Tensor& states_to) {
  require(states_from.defined() == states_to.defined(),
          "a difference needs the running statistics of both networks or of neither");
  Direction direction{.parameters = subtract(theta_to, theta_from), .running_stats = {}};
  if (states_from.defined()) direction.running_stats = subtract(states_to, states_from);
  return direction;
}

double cosine(const Direction& a, const Direction& b) {
  double ab = 0, aa = 0, bb = 0;
  const auto add = [&](const Tensor& x, const Tensor& y) {
    require(x.defined() == y.defined() && x.size() == y.size(),
            "no angle between directions of different networks or types");
    if (!x.defined()) return;
    ab += dot(x.data<float>(), y.data<float>(), x.size());
    aa += dot(x.data<float>(), x.data<float>(), x.size());
    bb += dot(y.data<float>(), y.data<float>(), y.size());
  };
  add(a.parameters, b.parameters);
  add(a.running_stats, b.running_stats);
  return ab / (std::sqrt(aa) * std::sqrt(bb));
}

}  // namespace topograd
