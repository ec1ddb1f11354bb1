// Principal components against Eigen's decomposition of the whole matrix, projections on oblique
// planes, and the random walk's known shares.
#include "landscape/trajectory/trajectory.h"

#include <doctest/doctest.h>

#include <Eigen/Dense>

#include "kernels/core/philox.h"

using namespace topograd;

namespace {

Tensor normal_rows(int64_t rows, int64_t columns, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  const Tensor t({rows, columns});
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<float>()[i] = static_cast<float>(random.normal(static_cast<uint64_t>(i)));
  return t;
}

Eigen::MatrixXd matrix_of(const Tensor& t) {
  Eigen::MatrixXd m(t.dim(0), t.size() / t.dim(0));
  for (int64_t i = 0; i < m.rows(); ++i)
    for (int64_t j = 0; j < m.cols(); ++j) m(i, j) = t.data<float>()[i * m.cols() + j];
  return m;
}

Eigen::VectorXd flat_vector(const Tensor& t) {
  return matrix_of(t.reshaped({1, t.size()})).row(0).transpose();
}

/// The points of a random walk.
Tensor random_walk(int64_t points, int64_t dimensions, uint64_t seed) {
  const Tensor walk = normal_rows(points, dimensions, seed);
  for (int64_t i = dimensions; i < walk.size(); ++i)
    walk.data<float>()[i] += walk.data<float>()[i - dimensions];
  return walk;
}

}  // namespace

TEST_CASE("trajectory: principal components are those of the whole matrix") {
  const Tensor rows = random_walk(12, 500, 3);
  const Eigen::MatrixXd m = matrix_of(rows);
  const Eigen::MatrixXd centred = m.rowwise() - m.colwise().mean();
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(centred, Eigen::ComputeThinV);
  const double total = svd.singularValues().squaredNorm();
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    const PrincipalComponents found = principal_components(rows, 5, pool);
    REQUIRE(found.directions.size() == 5);
    REQUIRE(found.explained.size() == 11);
    REQUIRE(found.variances.size() == 11);
    REQUIRE(found.singular_values.size() == 11);
    double sum = 0;
    for (double share : found.explained) sum += share;
    CHECK(sum == doctest::Approx(1));
    for (int k = 0; k < 5; ++k) {
      const size_t at = static_cast<size_t>(k);
      const double s = svd.singularValues()(k);
      CHECK(found.singular_values[at] == doctest::Approx(s).epsilon(1e-9));
      CHECK(found.explained[at] == doctest::Approx(s * s / total).epsilon(1e-9));
      CHECK(found.variances[at] == doctest::Approx(s * s / 11).epsilon(1e-9));
      const Eigen::VectorXd d = flat_vector(found.directions[at]);
      CHECK(std::abs(std::abs(d.dot(svd.matrixV().col(k))) - 1) <= 1e-6);
      CHECK((centred * d)(11) >= 0);
    }
  }
}

TEST_CASE("trajectory: checkpoints that span too little are refused") {
  ThreadPool pool(1);
  const Tensor same({4, 10});
  std::fill_n(same.data<float>(), same.size(), 3.0F);
  CHECK_THROWS_AS(principal_components(same, 1, pool), Error);
  const Tensor line({4, 10});
  for (int64_t i = 0; i < line.size(); ++i) line.data<float>()[i] = static_cast<float>(i / 10);
  CHECK(principal_components(line, 1, pool).explained[0] == doctest::Approx(1));
  CHECK(principal_components(line, 1, pool).explained[1] == doctest::Approx(0));
  CHECK_THROWS_AS(principal_components(line, 2, pool), Error);
  CHECK_THROWS_AS(principal_components(line, 4, pool), Error);
}

TEST_CASE("trajectory: a random walk explains as much as is known of it") {
  const std::vector<double> known = random_walk_explained(1'000'000, 3);
  CHECK(known[0] == doctest::Approx(6 / (M_PI * M_PI)).epsilon(1e-5));
  CHECK(known[1] == doctest::Approx(6 / (4 * M_PI * M_PI)).epsilon(1e-5));
  CHECK(known[2] == doctest::Approx(6 / (9 * M_PI * M_PI)).epsilon(1e-5));
  double sum = 0;
  for (double share : random_walk_explained(20, 19)) sum += share;
  CHECK(sum == doctest::Approx(1));
  // 20 orthogonal steps, nearly: in 40,000 dimensions.
  ThreadPool pool(2);
  const PrincipalComponents found = principal_components(random_walk(20, 40'000, 5), 4, pool);
  const std::vector<double> expected = random_walk_explained(20, 4);
  for (size_t k = 0; k < 4; ++k) CHECK(std::abs(found.explained[k] - expected[k]) < 0.01);
}

TEST_CASE("trajectory: coordinates by least squares, on an oblique plane too") {
  const int64_t n = 300;
  const Tensor basis = normal_rows(3, n, 7);
  const Tensor dx = basis.rows(0, 1).reshaped({n}).clone();
  const Tensor dy = basis.rows(1, 2).reshaped({n}).clone();
  for (int64_t i = 0; i < n; ++i)  // neither of length 1 nor orthogonal
    dy.data<float>()[i] = 0.01F * (dy.data<float>()[i] + 3 * dx.data<float>()[i]);
  const Tensor rows({2, n});
  for (int64_t i = 0; i < n; ++i) {
    rows.data<float>()[i] = 0.5F * dx.data<float>()[i] - 70 * dy.data<float>()[i];
    rows.data<float>()[n + i] = rows.data<float>()[i] + basis.data<float>()[2 * n + i];
  }
  ThreadPool pool(2);
  const PlaneCoordinates found = plane_coordinates(rows, dx, dy, pool);
  CHECK(found.x[0] == doctest::Approx(0.5).epsilon(1e-4));
  CHECK(found.y[0] == doctest::Approx(-70).epsilon(1e-4));
  CHECK(found.distance[0] < 1e-4);
  const Eigen::MatrixXd m = matrix_of(rows);
  Eigen::MatrixXd plane(n, 2);
  plane << flat_vector(dx), flat_vector(dy);
  const Eigen::VectorXd row = m.row(1).transpose();
  const Eigen::VectorXd at = plane.colPivHouseholderQr().solve(row);
  CHECK(found.x[1] == doctest::Approx(at(0)).epsilon(1e-6));
  CHECK(found.y[1] == doctest::Approx(at(1)).epsilon(1e-6));
  CHECK(found.distance[1] == doctest::Approx((row - plane * at).norm()).epsilon(1e-6));
  CHECK(found.length[1] == doctest::Approx(row.norm()).epsilon(1e-6));

  // Variance of two rows: half the square of their difference, and of its projection.
  const Eigen::VectorXd between = m.row(1) - m.row(0);
  const Eigen::VectorXd inside = plane * plane.colPivHouseholderQr().solve(between);
  CHECK(variance_in_plane(rows, found, dx, dy, pool) ==
        doctest::Approx(inside.squaredNorm() / between.squaredNorm()).epsilon(1e-5));

  const PlaneCoordinates line = plane_coordinates(rows, dx, Tensor(), pool);
  CHECK(line.x[1] ==
        doctest::Approx(row.dot(flat_vector(dx)) / flat_vector(dx).squaredNorm()).epsilon(1e-6));
  CHECK(line.y[1] == 0);
  CHECK_THROWS_AS(plane_coordinates(rows, dx, dx, pool), Error);
}

TEST_CASE("trajectory: steps are differences from a centre") {
  const Tensor a = normal_rows(1, 9, 1).reshaped({9}), b = normal_rows(1, 9, 2).reshaped({9});
  const Tensor rows = steps_from(b, {a, b});
  for (int64_t i = 0; i < 9; ++i) {
    CHECK(rows.data<float>()[i] == a.data<float>()[i] - b.data<float>()[i]);
    CHECK(rows.data<float>()[9 + i] == 0);
  }
  CHECK_THROWS_AS(steps_from(b, {normal_rows(1, 8, 1)}), Error);
}
