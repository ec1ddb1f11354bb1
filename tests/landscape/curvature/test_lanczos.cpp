// Lanczos' method against Eigen's dense solver.
#include "landscape/curvature/lanczos.h"

#include <doctest/doctest.h>

#include <Eigen/Dense>

#include "kernels/core/check.h"
#include "kernels/core/philox.h"

using namespace topograd;

namespace {

Eigen::MatrixXd random_matrix(int rows, int columns, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  Eigen::MatrixXd m(rows, columns);
  for (int i = 0; i < m.size(); ++i) m(i) = random.normal(static_cast<uint64_t>(i));
  return m;
}

/// Matrix with these eigenvalues, in a random orthonormal basis.
Eigen::MatrixXd with_spectrum(const Eigen::VectorXd& values, uint64_t seed) {
  const int n = static_cast<int>(values.size());
  const Eigen::MatrixXd q =
      Eigen::HouseholderQR<Eigen::MatrixXd>(random_matrix(n, n, seed)).householderQ();
  return q * values.asDiagonal() * q.transpose();
}

Eigen::VectorXd vector_of(const Tensor& t) {
  Eigen::VectorXd v(t.size());
  for (int64_t i = 0; i < t.size(); ++i) v(i) = t.data<float>()[i];
  return v;
}

Tensor tensor_of(const Eigen::VectorXd& v) {
  const Tensor t({v.size()});
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = static_cast<float>(v(i));
  return t;
}

LinearOperator product_with(const Eigen::MatrixXd& matrix) {
  return [&matrix](const Tensor& product, const Tensor& v) {
    product.copy_from(tensor_of(matrix * vector_of(v)));
  };
}

/// A bulk near zero and a few outliers, as Hessians have.
Eigen::VectorXd hessian_like(int n) {
  Eigen::VectorXd values(n);
  const Philox random(9, RandomStream::test);
  for (int i = 0; i < n; ++i) values(i) = 0.1 * random.normal(static_cast<uint64_t>(i));
  values.tail(5) << 2, 3, 5, 9, 20;
  values.head(2) << -4, -1.5;
  return values;
}

void check_pair(const Eigenpair& pair, double value, const Eigen::MatrixXd& A, double tolerance) {
  const double scale = 20;
  CHECK(std::abs(pair.value - value) <= tolerance * scale);
  const Eigen::VectorXd x = vector_of(pair.vector);
  CHECK(std::abs(x.norm() - 1) <= 1e-5);
  const double residual = (A * x - pair.value * x).norm();
  CHECK(residual <= 2 * pair.residual);
  CHECK(pair.residual <= residual + 1e-5 * scale);
}

}  // namespace

TEST_CASE("lanczos: both ends of a spectrum, with vectors and residuals that are true") {
  const int n = 200;
  const Eigen::VectorXd values = hessian_like(n);
  const Eigen::MatrixXd A = with_spectrum(values, 1);
  Context context;
  for (int basis : {0, 12, 40, 200}) {
    CAPTURE(basis);
    const ExtremeEigenpairs found = extreme_eigenpairs(
        product_with(A), n,
        {.largest = 3, .smallest = 2, .tolerance = 1e-4, .basis = basis, .max_products = 2000},
        context);
    CHECK(found.converged);
    REQUIRE(found.largest.size() == 3);
    REQUIRE(found.smallest.size() == 2);
    check_pair(found.largest[0], 20, A, 1e-4);
    check_pair(found.largest[1], 9, A, 1e-4);
    check_pair(found.largest[2], 5, A, 1e-4);
    check_pair(found.smallest[0], -4, A, 1e-4);
    check_pair(found.smallest[1], -1.5, A, 1e-4);
    CHECK(found.products >= 5);
  }
}

TEST_CASE("lanczos: a small eigenvalue beside a far larger one is found to its own size") {
  const int n = 200;
  Eigen::VectorXd values = hessian_like(n) / 4;  // from -1 to 5, the bulk near 0
  values(n - 1) = 5000;
  const Eigen::MatrixXd A = with_spectrum(values, 8);
  Context context;
  const LanczosOptions fine{.tolerance = 1e-2, .floor = 1e-5};
  const ExtremeEigenpairs found = extreme_eigenpairs(product_with(A), n, fine, context);
  CHECK(found.converged);
  CHECK(std::abs(found.largest[0].value - 5000) <= 1e-4 * 5000);
  // Its products are rounded to f32 at 5000: to 5000 / 2^24 a component, 5000 sqrt(200) / 2^24 in
  // length, which is 0.004.
  CHECK(std::abs(found.smallest[0].value + 1) <= 1e-2);
  CHECK(found.smallest[0].residual <= 1e-2);
  // A tolerance of the largest one's size does not even look for it.
  const ExtremeEigenpairs coarse =
      extreme_eigenpairs(product_with(A), n, {.tolerance = 1e-2}, context);
  CHECK(coarse.converged);
  CHECK(coarse.products < found.products);
}

TEST_CASE("lanczos: residuals are measured, where the recurrence's fall below rounding") {
  const int n = 150;
  const Eigen::MatrixXd A = with_spectrum(hessian_like(n), 11);
  Context context;
  for (double tolerance : {1e-3, 1e-6, 1e-8}) {
    CAPTURE(tolerance);
    const ExtremeEigenpairs found = extreme_eigenpairs(
        product_with(A), n, {.largest = 2, .smallest = 1, .tolerance = tolerance, .basis = 30},
        context);
    check_pair(found.largest[0], 20, A, 1e-3);
    check_pair(found.largest[1], 9, A, 1e-3);
    check_pair(found.smallest[0], -4, A, 1e-3);
    for (const Eigenpair& pair : found.largest)
      if (found.converged) CHECK(pair.residual <= tolerance * 20);
    // Products in f32 cannot be that good, whatever the recurrence says, and more do not help.
    CHECK(found.converged == (tolerance > 1e-8));
    CHECK(found.at_rounding == (tolerance == 1e-8));
    CHECK(found.products < 300);
  }
}

TEST_CASE("lanczos: one end alone; a small matrix to the last eigenvalue") {
  const Eigen::MatrixXd A = with_spectrum(hessian_like(60), 2);
  Context context;
  const ExtremeEigenpairs top =
      extreme_eigenpairs(product_with(A), 60, {.largest = 1, .smallest = 0}, context);
  CHECK(top.converged);
  CHECK(top.smallest.empty());
  check_pair(top.largest[0], 20, A, 1e-3);

  Eigen::VectorXd few(4);
  few << -1, 0, 2, 2.5;
  const Eigen::MatrixXd B = with_spectrum(few, 3);
  const ExtremeEigenpairs all =
      extreme_eigenpairs(product_with(B), 4, {.largest = 2, .smallest = 2}, context);
  CHECK(all.products == 4 + 4);  // with those that measure the residuals
  CHECK(all.converged);
  check_pair(all.largest[0], 2.5, B, 1e-6);
  check_pair(all.largest[1], 2, B, 1e-6);
  check_pair(all.smallest[0], -1, B, 1e-6);
  check_pair(all.smallest[1], 0, B, 1e-6);
}

TEST_CASE("lanczos: a start in an invariant subspace does not end the search there") {
  const int n = 50;
  const Eigen::MatrixXd A = hessian_like(n).asDiagonal();
  Context context;
  // An eigenvector of a small eigenvalue.
  const Tensor start = tensor_of(Eigen::VectorXd::Unit(n, 20));
  const ExtremeEigenpairs found = extreme_eigenpairs(
      product_with(A), n, {.largest = 1, .smallest = 1, .start = start}, context);
  CHECK(found.converged);
  check_pair(found.largest[0], 20, A, 1e-3);
  check_pair(found.smallest[0], -4, A, 1e-3);
}

TEST_CASE("lanczos: a start near the eigenvector saves products") {
  const int n = 300;
  const Eigen::MatrixXd A = with_spectrum(hessian_like(n), 4);
  Context context;
  LanczosOptions options{.largest = 1, .smallest = 0, .tolerance = 1e-3};
  const ExtremeEigenpairs cold = extreme_eigenpairs(product_with(A), n, options, context);
  options.start = cold.largest[0].vector;
  const ExtremeEigenpairs warm = extreme_eigenpairs(product_with(A), n, options, context);
  CHECK(warm.products < cold.products);
  CHECK(std::abs(warm.largest[0].value - 20) <= 1e-3 * 20);
}

TEST_CASE("lanczos: progress is told, and can stop it; so does the limit") {
  const int n = 100;
  const Eigen::MatrixXd A = with_spectrum(hessian_like(n), 5);
  Context context;
  int calls = 0;
  const ExtremeEigenpairs stopped =
      extreme_eigenpairs(product_with(A), n,
                         {.tolerance = 0,
                          .progress =
                              [&](int products, double residual) {
                                CHECK(products == ++calls);
                                CHECK((products == 1) == std::isinf(residual));
                                return products < 7;
                              }},
                         context);
  CHECK(calls == 7);
  CHECK(!stopped.converged);
  CHECK(stopped.largest.size() == 1);
  CHECK(extreme_eigenpairs(product_with(A), n, {.tolerance = 0, .max_products = 5}, context)
            .products == 5);
}

TEST_CASE("lanczos: what cannot be found is refused, and so is a matrix that is not finite") {
  Context context;
  const LinearOperator nan = [](const Tensor& product, const Tensor&) {
    std::fill_n(product.data<float>(), product.size(), std::nanf(""));
  };
  CHECK_THROWS_AS(extreme_eigenpairs(nan, 9, {}, context), Error);
  CHECK_THROWS_AS(extreme_eigenpairs(nan, 3, {.largest = 2, .smallest = 2}, context), Error);
  CHECK_THROWS_AS(extreme_eigenpairs(nan, 99, {.largest = 5, .basis = 8}, context), Error);
  CHECK_THROWS_AS(extreme_eigenpairs(nan, 99, {.largest = 5, .max_products = 6}, context), Error);
}

TEST_CASE("spectral measure: moments up to twice the nodes are exact") {
  const int n = 80, steps = 6;
  const Eigen::MatrixXd A = with_spectrum(hessian_like(n) / 20, 6);
  const Eigen::VectorXd v = vector_of(tensor_of(random_matrix(n, 1, 7))).normalized();
  Context context;
  const SpectralMeasure measure = spectral_measure(product_with(A), tensor_of(v), steps, context);
  REQUIRE(measure.values.size() == steps);
  Eigen::VectorXd power = v;
  for (int k = 0; k < 2 * steps; ++k, power = A * power) {
    CAPTURE(k);
    double moment = 0;
    for (size_t i = 0; i < measure.values.size(); ++i)
      moment += measure.weights[i] * std::pow(measure.values[i], k);
    CHECK(std::abs(moment - v.dot(power)) <= 2e-6);
  }
}

TEST_CASE("spectral measure: in an invariant subspace it has as many nodes as that") {
  Eigen::VectorXd values(30);
  values.setConstant(1);
  values(3) = -2;
  const Eigen::MatrixXd A = values.asDiagonal();
  Context context;
  const SpectralMeasure measure =
      spectral_measure(product_with(A), tensor_of(Eigen::VectorXd::Ones(30)), 10, context);
  REQUIRE(measure.values.size() == 2);
  CHECK(measure.values[0] == doctest::Approx(-2).epsilon(1e-5));
  CHECK(measure.weights[0] == doctest::Approx(1.0 / 30).epsilon(1e-4));
  CHECK(measure.values[1] == doctest::Approx(1).epsilon(1e-5));
}
