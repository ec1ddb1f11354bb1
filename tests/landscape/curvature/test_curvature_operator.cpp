// The curvature operator against the whole matrix, column by column, of a network small enough for
// that.
#include <doctest/doctest.h>

#include <Eigen/Dense>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/curvature/lanczos.h"
#include "nn/inference.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Graph tiny_graph() {
  Graph g({6, 6, 3});
  Value x = g.relu(g.batchnorm(g.conv(g.input(), 4)));
  x = g.activation(g.conv(x, 3, {.stride = 2, .bias = true}), Activation::tanh);
  g.set_output(g.linear(g.global_average_pool(x), 3));
  return g;
}

CurvatureSpec spec_of(const Graph& graph, const LabelledImages& images) {
  const Weights w = random_weights(graph, 3);
  return {.graph = graph, .theta = w.theta, .running_stats = w.running_stats, .images = images};
}

/// Column by column.
Eigen::MatrixXd matrix_of(CurvatureOperator& A) {
  const int64_t n = A.size();
  Eigen::MatrixXd matrix(n, n);
  const Tensor v({n}), product({n});
  for (int64_t j = 0; j < n; ++j) {
    v.fill_zero();
    v.data<float>()[j] = 1;
    A.multiply(product, v);
    for (int64_t i = 0; i < n; ++i) matrix(i, j) = product.data<float>()[i];
  }
  return matrix;
}

/// Returns |Hx - value x| / |x| in double precision throughout.
double true_residual(const CurvatureSpec& spec, const Eigenpair& pair, ThreadPool& pool) {
  const int64_t count = spec.images.count();
  Network network(spec.graph, count, pool, {.dtype = DType::f64, .curvature = true});
  const Tensor x(spec.images.images.shape(), DType::f64);
  normalise_images(x, spec.images, 0, count, pool.main_context());
  const Tensor v = pair.vector.converted(DType::f64), product(v.shape(), DType::f64);
  network.curvature_product(product, v, x, spec.images.labels, spec.theta.converted(DType::f64),
                            spec.running_stats.converted(DType::f64), spec.mode, spec.loss,
                            spec.curvature);
  double squares = 0, residual = 0;
  for (int64_t i = 0; i < v.size(); ++i) {
    const double left = product.data<double>()[i] - pair.value * v.data<double>()[i];
    residual += left * left;
    squares += v.data<double>()[i] * v.data<double>()[i];
  }
  return std::sqrt(residual / squares);
}

}  // namespace

TEST_CASE("curvature operator: extreme eigenvalues are those of the whole matrix") {
  const Graph graph = tiny_graph();
  const LabelledImages images = labelled_images(50, 6, 3, 1);
  ThreadPool pool(2);
  for (Curvature curvature : {Curvature::hessian, Curvature::gauss_newton})
    for (BatchnormMode mode : {BatchnormMode::frozen, BatchnormMode::batch}) {
      CurvatureSpec spec = spec_of(graph, images);
      spec.curvature = curvature;
      spec.mode = mode;
      spec.batch = 25;
      CurvatureOperator A(spec, pool);
      const Eigen::MatrixXd matrix = matrix_of(A);
      CHECK((matrix - matrix.transpose()).norm() <= 1e-5 * matrix.norm());
      const Eigen::VectorXd values =
          Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(0.5 * (matrix + matrix.transpose()))
              .eigenvalues();
      const ExtremeEigenpairs found = extreme_eigenpairs(
          [&](const Tensor& product, const Tensor& v) { A.multiply(product, v); }, A.size(),
          {.largest = 2, .smallest = 2, .tolerance = 1e-4}, pool.main_context());
      const double scale = values.cwiseAbs().maxCoeff();
      const int64_t n = A.size();
      CHECK(std::abs(found.largest[0].value - values(n - 1)) <= 1e-4 * scale);
      CHECK(std::abs(found.largest[1].value - values(n - 2)) <= 1e-4 * scale);
      CHECK(std::abs(found.smallest[0].value - values(0)) <= 1e-4 * scale);
      if (curvature == Curvature::gauss_newton) CHECK(values(0) >= -1e-5 * scale);
    }
}

TEST_CASE("curvature operator: no stated residual is less than half of the true one") {
  const Graph graph = tiny_graph();
  const LabelledImages images = labelled_images(50, 6, 3, 1);
  ThreadPool pool(1);
  for (uint64_t seed : {1, 2, 3, 4})
    for (double tolerance : {1e-2, 1e-5, 1e-7}) {
      CAPTURE(seed);
      CAPTURE(tolerance);
      CurvatureSpec spec = spec_of(graph, images);
      CurvatureOperator A(spec, pool);
      const ExtremeEigenpairs found = extreme_eigenpairs(
          [&](const Tensor& product, const Tensor& v) { A.multiply(product, v); }, A.size(),
          {.largest = 3,
           .smallest = 2,
           .tolerance = tolerance,
           .floor = 1e-4,
           .seed = seed,
           .nearby = [&](const Tensor& product,
                         const Tensor& v) { A.multiply_nearby(product, v); }},
          pool.main_context());
      for (const auto* end : {&found.largest, &found.smallest})
        for (const Eigenpair& pair : *end)
          CHECK(true_residual(spec, pair, pool) <= 2 * pair.residual);
    }
}

TEST_CASE("curvature operator: a mean over the images, however they are divided") {
  const Graph graph = tiny_graph();
  const LabelledImages images = labelled_images(50, 6, 3, 1);
  ThreadPool pool(2);
  std::vector<Tensor> products;
  for (int64_t batch : {50, 16, 128, 1}) {
    CurvatureSpec spec = spec_of(graph, images);
    spec.batch = batch;
    CurvatureOperator A(spec, pool);
    const Tensor v({A.size()}), product({A.size()}), gradient({A.size()});
    for (int64_t i = 0; i < v.size(); ++i) v.data<float>()[i] = static_cast<float>(i % 7) - 3;
    A.multiply(product, v);
    products.push_back(product);
    const double loss = A.gradient(gradient);
    CHECK(loss == doctest::Approx(evaluate(graph, spec.theta, spec.running_stats, images,
                                           LossKind::cross_entropy, pool)
                                      .mean())
                      .epsilon(1e-5));
  }
  for (size_t k = 1; k < products.size(); ++k)
    for (int64_t i = 0; i < products[0].size(); ++i)
      CHECK(std::abs(products[k].data<float>()[i] - products[0].data<float>()[i]) <= 1e-4);
}

TEST_CASE("curvature operator: some parameters are a block of the matrix of all") {
  const Graph graph = tiny_graph();
  const LabelledImages images = labelled_images(20, 6, 3, 1);
  ThreadPool pool(1);
  CurvatureSpec spec = spec_of(graph, images);
  CurvatureOperator whole(spec, pool);
  const Eigen::MatrixXd matrix = matrix_of(whole);
  spec.ranges = parameter_ranges(graph.layout(),
                                 [](const ParameterEntry& entry) { return entry.is_weight(); });
  CurvatureOperator weights(spec, pool);
  CHECK(weights.size() < whole.size());
  std::vector<int64_t> chosen;
  for (const auto& [begin, end] : spec.ranges)
    for (int64_t i = begin; i < end; ++i) chosen.push_back(i);
  REQUIRE(static_cast<int64_t>(chosen.size()) == weights.size());
  const Eigen::MatrixXd block = matrix_of(weights);
  for (int64_t i = 0; i < block.rows(); ++i)
    for (int64_t j = 0; j < block.cols(); ++j)
      CHECK(std::abs(block(i, j) - matrix(chosen[static_cast<size_t>(i)],
                                          chosen[static_cast<size_t>(j)])) <= 1e-6);
  const Tensor v({weights.size()});
  std::fill_n(v.data<float>(), v.size(), 2.0F);
  const Tensor spread = weights.in_theta(v);
  double sum = 0;
  for (int64_t i = 0; i < spread.size(); ++i) sum += spread.data<float>()[i];
  CHECK(sum == 2.0 * static_cast<double>(v.size()));
}

TEST_CASE("curvature operator: batches of one image have no statistics") {
  const Graph graph = tiny_graph();
  ThreadPool pool(1);
  CurvatureSpec spec = spec_of(graph, labelled_images(9, 6, 3, 1));
  spec.mode = BatchnormMode::batch;
  spec.batch = 4;
  CHECK_THROWS_AS(CurvatureOperator(spec, pool), Error);
}
