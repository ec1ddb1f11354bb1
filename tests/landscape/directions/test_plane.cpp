// Planes through networks.
#include "landscape/directions/plane.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/philox.h"
#include "models/registry.h"

using namespace topograd;

namespace {

Tensor normals(int64_t n, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  const Tensor t({n});
  for (int64_t i = 0; i < n; ++i)
    t.data<float>()[i] = static_cast<float>(random.normal(static_cast<uint64_t>(i)));
  return t;
}

double product(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a.data<float>()[i]) * b.data<float>()[i];
  return sum;
}

/// The largest difference of x u + y v from w.
double error(double x, const Tensor& u, double y, const Tensor& v, const Tensor& w) {
  double largest = 0;
  for (int64_t i = 0; i < w.size(); ++i)
    largest = std::max(
        largest, std::abs(x * u.data<float>()[i] + y * v.data<float>()[i] - w.data<float>()[i]));
  return largest;
}

}  // namespace

TEST_CASE("plane: an orthonormal basis with the networks where it says") {
  const int64_t n = 400;
  Direction x{.parameters = normals(n, 1), .running_stats = normals(7, 2)};
  Direction y{.parameters = normals(n, 3), .running_stats = normals(7, 4)};
  for (int64_t i = 0; i < n; ++i)  // far from orthogonal, and of another length
    y.parameters.data<float>()[i] =
        5 * x.parameters.data<float>()[i] + 0.1F * y.parameters.data<float>()[i];
  const OrthonormalPlane plane = orthonormal_plane(x, y);
  const Direction &u = plane.basis.x, &v = *plane.basis.y;
  CHECK(product(u.parameters, u.parameters) == doctest::Approx(1).epsilon(1e-6));
  CHECK(product(v.parameters, v.parameters) == doctest::Approx(1).epsilon(1e-6));
  CHECK(std::abs(product(u.parameters, v.parameters)) < 1e-6);
  CHECK(plane.second_y > 0);
  // Elements of some units, each rounded to 6e-8 of itself.
  CHECK(error(plane.first_x, u.parameters, 0, v.parameters, x.parameters) < 1e-5);
  CHECK(error(plane.second_x, u.parameters, plane.second_y, v.parameters, y.parameters) < 1e-5);
  CHECK(error(plane.first_x, u.running_stats, 0, v.running_stats, x.running_stats) < 1e-5);
  CHECK(error(plane.second_x, u.running_stats, plane.second_y, v.running_stats, y.running_stats) <
        1e-3);
}

TEST_CASE("plane: networks on one line are refused") {
  const Direction x{.parameters = normals(50, 1), .running_stats = {}};
  Direction twice{.parameters = x.parameters.clone(), .running_stats = {}};
  for (int64_t i = 0; i < 50; ++i) twice.parameters.data<float>()[i] *= -2;
  CHECK_THROWS_AS(orthonormal_plane(x, twice), Error);
  CHECK_THROWS_AS(orthonormal_plane({Tensor::zeros({50}), {}}, x), Error);
  CHECK_THROWS_AS(orthonormal_plane(x, {Tensor::zeros({50}), {}}), Error);
}

TEST_CASE("plane: a vector is normalised filter by filter, like a random direction") {
  const Graph graph = build_model(model_spec_from_json(
      R"({"name":"resnet8","shortcut":"B","width":4,"classes":4,"image_size":12,"channels":3,)"
      R"("activation":"relu"})"));
  const ParameterLayout& layout = graph.layout();
  const Tensor theta = normals(layout.parameter_count(), 5);
  const Direction vector{.parameters = normals(layout.parameter_count(), 6), .running_stats = {}};
  const Direction kept = normalised(vector, layout, theta, DirectionNorm::filter, Ignore::none);
  const Direction bare = normalised(vector, layout, theta, DirectionNorm::filter, Ignore::biasbn);
  for (const ParameterEntry& entry : layout.parameters()) {
    const bool weight = entry.shape.rank() > 1;
    const int64_t length = weight ? entry.filter_size() : 1;
    for (int64_t begin = entry.offset; begin < entry.offset + entry.size(); begin += length) {
      const auto part = [&](const Tensor& t) { return t.rows(begin, begin + length); };
      if (!weight) {
        CHECK(kept.parameters.data<float>()[begin] == vector.parameters.data<float>()[begin]);
        CHECK(bare.parameters.data<float>()[begin] == 0);
        continue;
      }
      const Tensor w = part(theta), d = part(kept.parameters), before = part(vector.parameters);
      CHECK(product(d, d) == doctest::Approx(product(w, w)).epsilon(1e-5));
      const double cosine = product(d, before) / std::sqrt(product(d, d) * product(before, before));
      CHECK(cosine == doctest::Approx(1).epsilon(1e-5));
    }
  }
}
