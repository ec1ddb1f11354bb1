#include "landscape/trajectory/trajectory.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/vector/vector.h"

namespace topograd {

namespace {

Tensor row_of(const Tensor& rows, int64_t e) {
  return rows.rows(e, e + 1).reshaped({rows.dim(1)});
}

/// Returns the Gram matrix of the rows.
Eigen::MatrixXd products(const Tensor& rows, ThreadPool& pool) {
  const int64_t n = rows.dim(0);
  Eigen::MatrixXd gram(n, n);
  pool.for_each(n, [&](int64_t i, Context& context) {
    for (int64_t j = 0; j <= i; ++j)
      gram(i, j) = gram(j, i) = dot(row_of(rows, i), row_of(rows, j), context);
  });
  return gram;
}

/// Returns the linear combination of the rows, summed in double and rounded once.
Tensor combination(const Tensor& rows, const Eigen::VectorXd& factors, ThreadPool& pool) {
  const int64_t parameters = rows.dim(1), block = 4096;
  const Tensor result({parameters});
  pool.for_each((parameters + block - 1) / block, [&](int64_t b, Context&) {
    const int64_t begin = b * block, end = std::min(parameters, begin + block);
    std::vector<double> sums(static_cast<size_t>(end - begin), 0.0);
    for (int64_t e = 0; e < rows.dim(0); ++e) {
      const float* row = rows.data<float>() + e * parameters + begin;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += factors(e) * row[i];
    }
    std::transform(sums.begin(), sums.end(), result.data<float>() + begin,
                   [](double sum) { return static_cast<float>(sum); });
  });
  return result;
}

}  // namespace

Tensor steps_from(const Tensor& centre, const std::vector<Tensor>& thetas) {
  const auto count = static_cast<int64_t>(thetas.size());
  const Tensor rows({count, centre.size()});
  for (int64_t e = 0; e < count; ++e) {
    const Tensor& theta = thetas[static_cast<size_t>(e)];
    require(theta.size() == centre.size(), "checkpoint ", e, " has ", theta.size(),
            " parameters, the centre ", centre.size());
    for (int64_t i = 0; i < centre.size(); ++i)
      rows.data<float>()[e * centre.size() + i] = theta.data<float>()[i] - centre.data<float>()[i];
  }
  return rows;
}

PrincipalComponents principal_components(const Tensor& rows, int count, ThreadPool& pool) {
  const int64_t n = rows.dim(0);
  require(count >= 1 && count < n, "of ", n, " checkpoints ", count,
          " principal components cannot be found: choose 1 to ", n - 1);
  const Eigen::MatrixXd centring = Eigen::MatrixXd::Identity(n, n) -
                                   Eigen::MatrixXd::Constant(n, n, 1.0 / static_cast<double>(n));
  const Eigen::MatrixXd gram = centring * products(rows, pool) * centring;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(0.5 * (gram + gram.transpose()));
  const double total = gram.trace();
  require(total > 0 && std::isfinite(total),
          "the checkpoints are one and the same, or not finite: they have no components");
  PrincipalComponents result;
  for (int k = 0; k < n - 1; ++k) {
    const int64_t column = n - 1 - k;
    const double square = std::max(solver.eigenvalues()(column), 0.0);
    result.explained.push_back(square / total);
    result.variances.push_back(square / static_cast<double>(n - 1));
    result.singular_values.push_back(std::sqrt(square));
    if (k >= count) continue;
    require(square > 1e-12 * total, "the checkpoints span ", k, " dimensions, not ", count);
    Eigen::VectorXd factors = solver.eigenvectors().col(column);
    // An eigenvector's sign is arbitrary: fixing it gives the same run the same plot.
    if (factors(n - 1) < 0) factors = -factors;
    result.directions.push_back(combination(rows, centring * factors / std::sqrt(square), pool));
  }
  return result;
}

std::vector<double> random_walk_explained(int64_t points, int count) {
  require(points > count, "a random walk of ", points, " points has no ", count, " components");
  const double n = static_cast<double>(points);
  std::vector<double> shares;
  for (int k = 1; k <= count; ++k)
    shares.push_back(1 / (2 - 2 * std::cos(std::numbers::pi * k / n)) / ((n * n - 1) / 6));
  return shares;
}

PlaneCoordinates plane_coordinates(const Tensor& rows, const Tensor& dx, const Tensor& dy,
                                   ThreadPool& pool) {
  const bool line = !dy.defined();
  Context& main = pool.main_context();
  Eigen::Matrix2d gram = Eigen::Matrix2d::Identity();
  gram(0, 0) = dot(dx, dx, main);
  if (!line) {
    gram(0, 1) = gram(1, 0) = dot(dx, dy, main);
    gram(1, 1) = dot(dy, dy, main);
  }
  require(gram.determinant() > 1e-12 * gram(0, 0) * gram(1, 1),
          line ? "the direction is zero" : "the two directions are parallel: they span no plane");
  const Eigen::Matrix2d inverse = gram.inverse();
  const auto n = static_cast<size_t>(rows.dim(0));
  PlaneCoordinates result{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n),
                          std::vector<double>(n)};
  pool.for_each(rows.dim(0), [&](int64_t e, Context& context) {
    const Tensor row = row_of(rows, e);
    const Eigen::Vector2d along(dot(row, dx, context), line ? 0 : dot(row, dy, context));
    const Eigen::Vector2d at = inverse * along;
    // The residual is summed directly: a difference of squares would cancel.
    double outside = 0;
    for (int64_t i = 0; i < row.size(); ++i) {
      const double rest = row.data<float>()[i] - at(0) * dx.data<float>()[i] -
                          (line ? 0 : at(1) * dy.data<float>()[i]);
      outside += rest * rest;
    }
    const auto k = static_cast<size_t>(e);
    result.x[k] = at(0);
    result.y[k] = at(1);
    result.distance[k] = std::sqrt(outside);
    result.length[k] = norm(row, context);
  });
  return result;
}

double variance_in_plane(const Tensor& rows, const PlaneCoordinates& coordinates, const Tensor& dx,
                         const Tensor& dy, ThreadPool& pool) {
  const int64_t n = rows.dim(0);
  const Eigen::VectorXd shares = Eigen::VectorXd::Constant(n, 1.0 / static_cast<double>(n));
  const Tensor mean = combination(rows, shares, pool);
  const Eigen::Map<const Eigen::VectorXd> x(coordinates.x.data(), n), y(coordinates.y.data(), n);
  const double mean_x = x.mean(), mean_y = y.mean();
  Context& main = pool.main_context();
  const double xx = dot(dx, dx, main), xy = dot(dx, dy, main), yy = dot(dy, dy, main);
  double inside = 0, total = 0;
  for (int64_t e = 0; e < n; ++e) {
    const double u = x(e) - mean_x, v = y(e) - mean_y;
    inside += u * u * xx + 2 * u * v * xy + v * v * yy;
    const float* row = rows.data<float>() + e * rows.dim(1);
    for (int64_t i = 0; i < rows.dim(1); ++i) {
      const double rest = static_cast<double>(row[i]) - mean.data<float>()[i];
      total += rest * rest;
    }
  }
  return inside / total;
}

}  // namespace topograd
