#include "landscape/curvature/lanczos.h"

#include <Eigen/Dense>
#include <algorithm>
#include <limits>

#include "kernels/gemm/gemm.h"
#include "kernels/random/random_normal.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// An orthonormal basis of a Krylov space, and A in it.
class Basis {
 public:
  Basis(const LinearOperator& A, int64_t n, int room, uint64_t seed, Context& context)
      : A_(A),
        context_(context),
        seed_(seed),
        vectors_({room + 1, n}, DType::f32, context.device()),
        projection_(Eigen::MatrixXd::Zero(room, room)) {}

  int size() const { return size_; }
  int room() const { return static_cast<int>(projection_.rows()); }
  int64_t n() const { return vectors_.dim(1); }
  Tensor vector(int i) const { return vectors_.rows(i, i + 1).reshaped({n()}); }
  /// Returns V^T A V.
  Eigen::MatrixXd projection() const { return projection_.topLeftCorner(size_, size_); }
  /// Length of what A's product with the last vector has outside the basis.
  double beta() const { return beta_; }
  /// Whether the basis spans an invariant subspace, to rounding.
  bool is_closed() const { return beta_ <= 1e-6 * projection_.norm() || size_ == n(); }

  void start(const Tensor& v) {
    vector(0).copy_from(v);
    const double length = norm(vector(0), context_);
    require(length > 0 && std::isfinite(length), "Lanczos' first vector has the length ", length);
    scale({.y = vector(0), .a = 1 / length}, context_);
  }
  void start_anywhere() {
    random_normal({.y = vector(0), .random = Philox(seed_, RandomStream::probe)}, context_);
    start(vector(0));
  }
  void start_near(const Tensor& v) {
    const double length = norm(v, context_);
    start_anywhere();
    scale({.y = vector(0), .a = 0.01 * length}, context_);
    axpy({.y = vector(0), .x = v}, context_);
    start(vector(0));
  }

  /// Makes one product: the basis takes in its next vector, and has another one behind it.
  void grow() {
    const int j = size_++;
    const Tensor next = vector(j + 1);
    A_(next, vector(j));
    for (int pass = 0; pass < 2; ++pass)  // the second takes out what the first one's rounding left
      for (int i = 0; i <= j; ++i) {
        const double h = dot(vector(i), next, context_);
        axpy({.y = next, .x = vector(i), .a = -h}, context_);
        projection_(i, j) += h;
        if (i < j) projection_(j, i) = projection_(i, j);
      }
    beta_ = norm(next, context_);
    require(std::isfinite(beta_), "a product with the matrix is not finite");
    if (is_closed())
      replace_next();
    else
      scale({.y = next, .a = 1 / beta_}, context_);
  }

  /// Replaces the basis by its linear combinations with these columns; the next vector stays.
  void keep(const Eigen::MatrixXd& columns, const Eigen::VectorXd& values) {
    const int kept = static_cast<int>(columns.cols());
    const Tensor next = vector(size_).clone(), rotated = combinations(columns);
    vectors_.rows(0, kept).copy_from(rotated);
    vector(kept).copy_from(next);
    projection_.setZero();
    projection_.topLeftCorner(kept, kept) = values.asDiagonal();
    size_ = kept;
  }

  /// Returns the basis' linear combinations, [columns, n].
  Tensor combinations(const Eigen::MatrixXd& columns) const {
    const int64_t count = columns.cols();
    const Tensor factors({count, size_});
    for (int64_t c = 0; c < count; ++c)
      for (int i = 0; i < size_; ++i)
        factors.data<float>()[c * size_ + i] = static_cast<float>(columns(i, c));
    const Tensor result({count, n()}, DType::f32, context_.device());
    gemm({.c = result, .a = factors.to(context_.device()), .b = vectors_.rows(0, size_)}, context_);
    return result;
  }

 private:
  /// Begins the search anew outside an invariant subspace, where there is nowhere to go on.
  void replace_next() {
    beta_ = 0;
    if (size_ == n()) return;
    const Tensor next = vector(size_);
    random_normal(
        {.y = next, .random = Philox(seed_, RandomStream::probe, static_cast<uint32_t>(size_))},
        context_);
    for (int pass = 0; pass < 3; ++pass) {
      for (int i = 0; i < size_; ++i)
        axpy({.y = next, .x = vector(i), .a = -dot(vector(i), next, context_)}, context_);
      scale({.y = next, .a = 1 / norm(next, context_)}, context_);
    }
  }

  const LinearOperator& A_;
  Context& context_;
  uint64_t seed_;
  Tensor vectors_;  // [room + 1, n]
  Eigen::MatrixXd projection_;
  int size_ = 0;
  double beta_ = 0;
};

/// The Ritz values of a basis, from the smallest up, and what is known about them.
struct Ritz {
  explicit Ritz(const Basis& basis) : solver(basis.projection()), beta(basis.beta()) {}
  const Eigen::VectorXd& values() const { return solver.eigenvalues(); }
  int size() const { return static_cast<int>(values().size()); }
  double residual(int i) const { return beta * std::abs(solver.eigenvectors()(size() - 1, i)); }
  double scale() const { return std::max(values().cwiseAbs().maxCoeff(), 1e-300); }

  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  double beta;
};

/// Returns which Ritz pairs are wanted: the first `smallest` and the last `largest`, each once.
std::vector<int> wanted(int size, int smallest, int largest) {
  std::vector<int> result;
  for (int i = 0; i < size; ++i)
    if (i < smallest || i >= size - largest) result.push_back(i);
  return result;
}

double worst_residual(const Ritz& ritz, const LanczosOptions& options) {
  if (ritz.size() < options.largest + options.smallest)
    return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (int i : wanted(ritz.size(), options.smallest, options.largest))
    worst = std::max(worst, ritz.residual(i) /
                                std::max(std::abs(ritz.values()(i)), options.floor * ritz.scale()));
  return worst;
}

/// Returns some columns of a matrix.
Eigen::MatrixXd columns_of(const Eigen::MatrixXd& matrix, const std::vector<int>& which) {
  Eigen::MatrixXd result(matrix.rows(), static_cast<int64_t>(which.size()));
  for (size_t k = 0; k < which.size(); ++k)
    result.col(static_cast<int64_t>(k)) = matrix.col(which[k]);
  return result;
}

/// Keeps the wanted Ritz vectors and some of their neighbours, which hold what was learnt about
/// eigenvalues near the wanted ones.
void restart(Basis& basis, const Ritz& ritz, const LanczosOptions& options) {
  const int spare = basis.room() - options.largest - options.smallest;
  const int more = std::max(1, spare / 4);
  const std::vector<int> kept =
      wanted(ritz.size(), options.smallest + (options.smallest > 0 ? more : 0),
             options.largest + (options.largest > 0 ? more : 0));
  Eigen::VectorXd values(static_cast<int64_t>(kept.size()));
  for (size_t k = 0; k < kept.size(); ++k) values(static_cast<int64_t>(k)) = ritz.values()(kept[k]);
  basis.keep(columns_of(ritz.solver.eigenvectors(), kept), values);
}

std::vector<Eigenpair> pairs(const Basis& basis, const Ritz& ritz, int first, int count, int step) {
  std::vector<int> which;
  for (int k = 0; k < std::min(count, ritz.size()); ++k) which.push_back(first + k * step);
  const Tensor vectors = basis.combinations(columns_of(ritz.solver.eigenvectors(), which));
  std::vector<Eigenpair> result;
  for (size_t k = 0; k < which.size(); ++k) {
    const auto row = static_cast<int64_t>(k);
    result.push_back({.value = ritz.values()(which[k]),
                      .residual = ritz.residual(which[k]),
                      .vector = vectors.rows(row, row + 1).reshaped({basis.n()}).clone()});
  }
  return result;
}

}  // namespace

ExtremeEigenpairs extreme_eigenpairs(const LinearOperator& A, int64_t n,
                                     const LanczosOptions& options, Context& context) {
  const int count = options.largest + options.smallest;
  require(options.largest >= 0 && options.smallest >= 0 && count > 0 && count <= n, "of ", n,
          " eigenvalues ", options.largest, " largest and ", options.smallest,
          " smallest cannot be found");
  const int64_t room = options.basis > 0 ? options.basis : 2 * count + 20;
  require(room >= count + 3 || room >= n, "a basis of ", room, " vectors is too small for ", count,
          " eigenvalues: at least ", count + 3);
  Basis basis(A, n, static_cast<int>(std::min(room, n)), options.seed, context);
  if (options.start.defined())
    basis.start_near(options.start);
  else
    basis.start_anywhere();
  ExtremeEigenpairs result;
  for (bool stopped = false;;) {
    basis.grow();
    ++result.products;
    const Ritz ritz(basis);
    const double worst = worst_residual(ritz, options);
    // In an invariant subspace residuals are 0, and say nothing about the rest.
    result.converged = (worst <= options.tolerance && basis.beta() > 0) || basis.size() == n;
    if (options.progress) stopped = !options.progress(result.products, worst);
    if (result.converged || stopped || result.products >= options.max_products) {
      result.largest = pairs(basis, ritz, ritz.size() - 1, options.largest, -1);
      result.smallest = pairs(basis, ritz, 0, options.smallest, 1);
      return result;
    }
    if (basis.size() == basis.room()) restart(basis, ritz, options);
  }
}

SpectralMeasure spectral_measure(const LinearOperator& A, const Tensor& start, int steps,
                                 Context& context) {
  require(steps > 0, "a spectral measure of ", steps, " nodes");
  const int64_t n = start.size();
  Basis basis(A, n, static_cast<int>(std::min<int64_t>(steps, n)), 1, context);
  basis.start(start);
  while (basis.size() < basis.room() && (basis.size() == 0 || basis.beta() > 0)) basis.grow();
  const Ritz ritz(basis);
  SpectralMeasure measure;
  for (int i = 0; i < ritz.size(); ++i) {
    const double component = ritz.solver.eigenvectors()(0, i);
    measure.values.push_back(ritz.values()(i));
    measure.weights.push_back(component * component);
  }
  return measure;
}

}  // namespace topograd
