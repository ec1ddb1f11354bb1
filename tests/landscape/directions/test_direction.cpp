#include <algorithm>
#include <array>

#include "landscape/directions/direction.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr uint64_t kSeed = 17;
constexpr std::array kNorms = {DirectionNorm::filter,  DirectionNorm::layer,  DirectionNorm::weight,
                               DirectionNorm::dfilter, DirectionNorm::dlayer, DirectionNorm::none};

/// Element (o, h, w, i) of a convolution's weight, or (row, column) of a matrix, in PyTorch's
/// order.
int64_t torch_position(const ParameterEntry& entry, int64_t ours) {
  if (entry.kind != ParameterKind::conv_weight) return ours;
  const int64_t H = entry.shape[1], W = entry.shape[2], I = entry.shape[3];
  const int64_t i = ours % I, w = ours / I % W, h = ours / (I * W) % H, o = ours / (I * W * H);
  return ((o * I + i) * H + h) * W + w;
}

double norm_of(const std::vector<double>& v, int64_t begin, int64_t end) {
  double sum = 0;
  for (int64_t i = begin; i < end; ++i)
    sum += v[static_cast<size_t>(i)] * v[static_cast<size_t>(i)];
  return std::sqrt(sum);
}

/// One weight's direction straight from the table of formulas, in double.
std::vector<double> expected_direction(const ParameterEntry& entry, DirectionNorm norm,
                                       const float* w, uint32_t number) {
  const Philox random(kSeed, RandomStream::direction, number);
  const int64_t n = entry.size();
  std::vector<double> d(static_cast<size_t>(n));
  const std::vector<double> weights(w, w + n);
  for (int64_t i = 0; i < n; ++i)
    d[static_cast<size_t>(i)] =
        random.normal(static_cast<uint64_t>(entry.offset + torch_position(entry, i)));
  std::vector<double> result(d.size());
  for (int64_t i = 0; i < n; ++i) {
    const int64_t length = n / entry.shape[0];
    const int64_t begin = i / length * length, end = begin + length;
    double scale = 1;
    switch (norm) {
      case DirectionNorm::filter:
        scale = norm_of(weights, begin, end) / (norm_of(d, begin, end) + 1e-10);
        break;
      case DirectionNorm::layer:
        scale = norm_of(weights, 0, n) / norm_of(d, 0, n);
        break;
      case DirectionNorm::weight:
        scale = weights[static_cast<size_t>(i)];
        break;
      case DirectionNorm::dfilter:
        scale = 1 / (norm_of(d, begin, end) + 1e-10);
        break;
      case DirectionNorm::dlayer:
        scale = 1 / norm_of(d, 0, n);
        break;
      case DirectionNorm::none:
        break;
    }
    result[static_cast<size_t>(i)] = scale * d[static_cast<size_t>(i)];
  }
  return result;
}

}  // namespace

TEST_CASE("direction: every norm equals its formula, every ignore does what it says") {
  const ParameterLayout layout = small_layout();
  const Tensor theta = random_vector(layout.parameter_count(), 1);
  const Tensor running_stats = random_vector(layout.state_count(), 2);
  for (DirectionNorm norm : kNorms) {
    for (Ignore ignore : {Ignore::biasbn, Ignore::none}) {
      CAPTURE(name_of(norm));
      CAPTURE(name_of(ignore));
      const Direction direction = random_direction(layout, theta, running_stats, kSeed, 1, norm,
                                                   ignore, DirectionType::states);
      for (const ParameterEntry& entry : layout.parameters()) {
        CAPTURE(entry.name);
        const float* w = theta.data<float>() + entry.offset;
        const float* d = direction.parameters.data<float>() + entry.offset;
        if (!entry.is_weight()) {
          for (int64_t i = 0; i < entry.size(); ++i)
            CHECK(d[i] == (ignore == Ignore::biasbn ? 0.0f : w[i]));
          continue;
        }
        const std::vector<double> expected = expected_direction(entry, norm, w, 1);
        // The normal, its scaling and the result are rounded to float once each: 3 x 6e-8.
        for (int64_t i = 0; i < entry.size(); ++i) {
          const double e = expected[static_cast<size_t>(i)];
          REQUIRE(std::abs(d[i] - e) <= 2e-7 * std::abs(e));
        }
      }
      for (int64_t i = 0; i < running_stats.size(); ++i)
        CHECK(direction.running_stats.data<float>()[i] ==
              (ignore == Ignore::biasbn ? 0.0f : running_stats.data<float>()[i]));
    }
  }
}

TEST_CASE("direction: scales and shifts over a whole image are ignored as a channel's are") {
  ParameterLayout layout;
  layout.add("conv1.weight", ParameterKind::conv_weight, {4, 3, 3, 2});
  layout.add("ln1.weight", ParameterKind::norm_scale, {5, 3, 4});
  layout.add("ln1.bias", ParameterKind::norm_shift, {5, 3, 4});
  const Tensor theta = random_vector(layout.parameter_count(), 1);
  for (Ignore ignore : {Ignore::biasbn, Ignore::none}) {
    const Tensor d =
        random_direction(layout, theta, {}, kSeed, 1, DirectionNorm::filter, ignore).parameters;
    for (int64_t i = layout.parameters()[1].offset; i < theta.size(); ++i)
      CHECK(d.data<float>()[i] == (ignore == Ignore::biasbn ? 0.0F : theta.data<float>()[i]));
  }
}

TEST_CASE("direction: a filter of zeros gives zeros, not NaN") {
  const ParameterLayout layout = small_layout();
  const Tensor theta = Tensor::zeros({layout.parameter_count()});
  const Direction direction = random_direction(layout, theta, {}, kSeed, 0);
  for (int64_t i = 0; i < theta.size(); ++i) CHECK(direction.parameters.data<float>()[i] == 0);
}

TEST_CASE("direction: seed and number tell directions apart, the type does not") {
  const ParameterLayout layout = small_layout();
  const Tensor theta = random_vector(layout.parameter_count(), 1);
  const Tensor running_stats = random_vector(layout.state_count(), 2);
  const Direction x = random_direction(layout, theta, {}, kSeed, 0);
  CHECK_FALSE(x.running_stats.defined());
  CHECK(same_values(x.parameters, random_direction(layout, theta, {}, kSeed, 0).parameters));
  CHECK(same_values(x.parameters,
                    random_direction(layout, theta, running_stats, kSeed, 0, DirectionNorm::filter,
                                     Ignore::biasbn, DirectionType::states)
                        .parameters));
  const int64_t weights =
      std::count_if(x.parameters.data<float>(), x.parameters.data<float>() + x.parameters.size(),
                    [](float v) { return v != 0; });
  for (const Direction& other :
       {random_direction(layout, theta, {}, kSeed, 1), random_direction(layout, theta, {}, 18, 0),
        random_direction(layout, theta, {}, uint64_t{1} << 32 | kSeed, 0)}) {
    CHECK_FALSE(same_values(x.parameters, other.parameters));
    // Independent directions: the cosine is normal with deviation about 1 / sqrt(weights).
    const double bound = 5 / std::sqrt(static_cast<double>(weights));
    CHECK(std::abs(cosine(x, other)) <= bound);
  }
}

TEST_CASE("direction: a difference is raw, a cosine spans parameters and states") {
  const Tensor from = random_vector(7, 1), to = random_vector(7, 2);
  const Tensor states_from = random_vector(3, 3), states_to = random_vector(3, 4);
  const Direction line = difference(from, to);
  CHECK_FALSE(line.running_stats.defined());
  for (int64_t i = 0; i < 7; ++i)
    CHECK(line.parameters.data<float>()[i] == to.data<float>()[i] - from.data<float>()[i]);
  const Direction both = difference(from, to, states_from, states_to);
  for (int64_t i = 0; i < 3; ++i)
    CHECK(both.running_stats.data<float>()[i] ==
          states_to.data<float>()[i] - states_from.data<float>()[i]);
  const Direction back = difference(to, from, states_to, states_from);
  CHECK(cosine(both, both) == doctest::Approx(1).epsilon(1e-15));
  CHECK(cosine(both, back) == doctest::Approx(-1).epsilon(1e-15));
  CHECK(std::isnan(cosine(line, difference(from, from))));

  float a[] = {3, 0}, b[] = {4}, c[] = {1, 0}, d[] = {0};
  const Direction u{Tensor::wrap(a, {2}), Tensor::wrap(b, {1})};
  const Direction v{Tensor::wrap(c, {2}), Tensor::wrap(d, {1})};
  CHECK(cosine(u, v) == doctest::Approx(0.6).epsilon(1e-15));
  CHECK_THROWS_WITH_AS(cosine(both, line),
                       "no angle between directions of different networks or types", Error);
  CHECK_THROWS_WITH_AS(difference(from, states_to),
                       "two networks of 7 and 3 numbers have no difference: they must be the same "
                       "model",
                       Error);
  CHECK_THROWS_AS(difference(from, to, states_from), Error);
}

TEST_CASE("direction: names go both ways, unknown ones are refused with the choices") {
  for (DirectionNorm norm : kNorms) CHECK(direction_norm_named(name_of(norm)) == norm);
  for (Ignore ignore : {Ignore::biasbn, Ignore::none})
    CHECK(ignore_named(name_of(ignore)) == ignore);
  for (DirectionType type : {DirectionType::weights, DirectionType::states})
    CHECK(direction_type_named(name_of(type)) == type);
  CHECK_THROWS_WITH_AS(
      direction_norm_named("filtre"),
      "unknown norm 'filtre': choose one of filter, layer, weight, dfilter, dlayer, none", Error);
  CHECK_THROWS_AS(ignore_named(""), Error);
  CHECK_THROWS_AS(direction_type_named("state"), Error);
}

TEST_CASE("direction: vectors of another network are refused") {
  const ParameterLayout layout = small_layout();
  CHECK_THROWS_WITH_AS(random_direction(layout, random_vector(5, 1), {}, 1, 0),
                       "a direction needs 250 f32 parameters, got 5 of f32", Error);
  CHECK_THROWS_WITH_AS(
      random_direction(layout, random_vector(layout.parameter_count(), 1), {}, 1, 0,
                       DirectionNorm::filter, Ignore::biasbn, DirectionType::states),
      "a direction needs the network's running statistics", Error);
}
