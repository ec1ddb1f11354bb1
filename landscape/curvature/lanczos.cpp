#include "landscape/curvature/lanczos.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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

/// The Ritz values of a basis, from the smallest up, and what the recurrence says about them.
struct Ritz {
  explicit Ritz(const Basis& basis) : solver(basis.projection()), beta(basis.beta()) {}
  const Eigen::VectorXd& values() const { return solver.eigenvalues(); }
  int size() const { return static_cast<int>(values().size()); }
  double residual(int i) const { return beta * std::abs(solver.eigenvectors()(size() - 1, i)); }
  double scale() const { return std::max(values().cwiseAbs().maxCoeff(), 1e-300); }

  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  double beta;
};

int products_to_measure(const LanczosOptions& options) {
  return (options.nearby ? 2 : 1) * (options.largest + options.smallest);
}

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

/// Returns the Ritz pair number `first`, `first` + step, ... with residuals yet to be measured.
std::vector<Eigenpair> pairs(const Basis& basis, const Ritz& ritz, int first, int count, int step) {
  std::vector<int> which;
  for (int k = 0; k < std::min(count, ritz.size()); ++k) which.push_back(first + k * step);
  const Tensor vectors = basis.combinations(columns_of(ritz.solver.eigenvectors(), which));
  std::vector<Eigenpair> result;
  for (size_t k = 0; k < which.size(); ++k) {
    const auto row = static_cast<int64_t>(k);
    result.push_back({.value = ritz.values()(which[k]),
                      .residual = std::numeric_limits<double>::quiet_NaN(),
                      .vector = vectors.rows(row, row + 1).reshaped({basis.n()}).clone()});
  }
  return result;
}

/// Sets a pair's value to its vector's Rayleigh quotient and its residual to what the product leaves
/// of it, both in double: what the recurrence says of a residual goes on falling below the products'
/// rounding, and knows nothing of that of the vectors.
void measure(Eigenpair& pair, const Tensor& product) {
  const Tensor x = pair.vector.to(Device::cpu), ax = product.to(Device::cpu);
  const float *xs = x.data<float>(), *axs = ax.data<float>();
  double squares = 0, quotient = 0, residual = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    squares += double{xs[i]} * xs[i];
    quotient += double{xs[i]} * axs[i];
  }
  pair.value = quotient / squares;
  for (int64_t i = 0; i < x.size(); ++i) {
    const double left = axs[i] - pair.value * xs[i];
    residual += left * left;
  }
  pair.residual = std::sqrt(residual / squares);
}

/// Returns |a - b|, in double.
double distance(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(Device::cpu), y = b.to(Device::cpu);
  double squares = 0;
  for (int64_t i = 0; i < x.size(); ++i)
    squares += std::pow(double{x.data<float>()[i]} - y.data<float>()[i], 2);
  return std::sqrt(squares);
}

/// The search for the ends of a spectrum.
class Search {
 public:
  Search(const LinearOperator& A, int64_t n, int room, const LanczosOptions& options,
         Context& context)
      : A_(A), options_(options), basis_(A, n, room, options.seed, context) {
    if (options.start.defined())
      basis_.start_near(options.start);
    else
      basis_.start_anywhere();
  }

  ExtremeEigenpairs run() {
    // Once the recurrence is content, products are made with the pairs themselves. Where they are
    // not within the tolerance yet, the search goes on to a tenth of it, once.
    for (double wanted = options_.tolerance;; wanted = options_.tolerance / 10) {
      const Ritz ritz = search(wanted);
      measure_pairs(ritz);
      found_.converged = worst_measured(ritz) <= options_.tolerance;
      const bool second = wanted < options_.tolerance;
      found_.at_rounding = second && !found_.converged && worst_ <= wanted;
      if (found_.converged || stopped_ || is_exhausted() || second || is_out_of_products())
        return std::move(found_);
    }
  }

 private:
  int count() const { return options_.largest + options_.smallest; }
  bool is_exhausted() const { return basis_.size() == basis_.n(); }
  /// Whether as many are left as the pairs need.
  bool is_out_of_products() const {
    return found_.products + products_to_measure(options_) >= options_.max_products;
  }

  void tell(double worst) {
    ++found_.products;
    if (options_.progress) stopped_ = stopped_ || !options_.progress(found_.products, worst);
  }

  /// Grows the basis until the recurrence's residuals are within the tolerance, or it has to end.
  Ritz search(double tolerance) {
    for (;;) {
      if (basis_.size() == basis_.room()) restart(basis_, Ritz(basis_), options_);
      basis_.grow();
      Ritz ritz(basis_);
      worst_ = worst_residual(ritz, options_);
      tell(worst_);
      // In an invariant subspace residuals are 0, and say nothing about the rest.
      const bool content = worst_ <= tolerance && basis_.beta() > 0;
      if (content || stopped_ || is_exhausted() || is_out_of_products()) return ritz;
    }
  }

  void measure_pairs(const Ritz& ritz) {
    found_.largest = pairs(basis_, ritz, ritz.size() - 1, options_.largest, -1);
    found_.smallest = pairs(basis_, ritz, 0, options_.smallest, 1);
    for (std::vector<Eigenpair>* end : {&found_.largest, &found_.smallest})
      for (Eigenpair& pair : *end) {
        if (stopped_) return;
        const Tensor product(pair.vector.shape(), DType::f32, pair.vector.device());
        A_(product, pair.vector);
        measure(pair, product);
        tell(worst_);
        if (!options_.nearby) continue;
        const Tensor other(product.shape(), DType::f32, product.device());
        options_.nearby(other, pair.vector);
        pair.residual = std::hypot(pair.residual, distance(other, product));
        tell(worst_);
      }
    const auto descending = [](const Eigenpair& a, const Eigenpair& b) {
      return a.value > b.value;
    };
    std::stable_sort(found_.largest.begin(), found_.largest.end(), descending);
    std::stable_sort(found_.smallest.rbegin(), found_.smallest.rend(), descending);
  }

  /// Returns the largest measured residual as the share that the tolerance is of; NaN where one was
  /// not measured, infinity where there are fewer pairs than wanted.
  double worst_measured(const Ritz& ritz) const {
    if (ritz.size() < count()) return std::numeric_limits<double>::infinity();
    double worst = 0;
    for (const std::vector<Eigenpair>* end : {&found_.largest, &found_.smallest})
      for (const Eigenpair& pair : *end) {
        const double share =
            pair.residual / std::max(std::abs(pair.value), options_.floor * ritz.scale());
        if (!(share <= worst)) worst = share;
        if (std::isnan(worst)) return worst;
      }
    return worst;
  }

  const LinearOperator& A_;
  const LanczosOptions& options_;
  Basis basis_;
  ExtremeEigenpairs found_;
  double worst_ = std::numeric_limits<double>::infinity();
  bool stopped_ = false;
};

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
  require(options.max_products > products_to_measure(options), options.max_products,
          " products are too few for ", count, " eigenvalues: at least ",
          products_to_measure(options) + 1);
  return Search(A, n, static_cast<int>(std::min(room, n)), options, context).run();
}

int usual_products(int count, int max_products) {
  // The largest alone stands out; the smallest, which any other number has among them, lies close to
  // others.
  const int usual = count == 0 ? 0 : count == 1 ? 7 : 25 + 3 * count;
  return std::min(usual, max_products);
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

ShareBounds mass_below(const SpectralMeasure& measure, double x) {
  const std::vector<double>& values = measure.values;
  if (values.empty()) return {0, 1};
  const double rounding = 1e-6 * std::max(std::abs(values.front()), std::abs(values.back()));
  const auto mass_of_first = [&](std::ptrdiff_t nodes) {
    const auto end =
        measure.weights.begin() + std::clamp<std::ptrdiff_t>(nodes, 0, std::ssize(measure.weights));
    return std::accumulate(measure.weights.begin(), end, 0.0);
  };
  const auto nodes_below = [&](double bound) {
    return std::lower_bound(values.begin(), values.end(), bound) - values.begin();
  };
  return {mass_of_first(nodes_below(x - rounding) - 1),
          mass_of_first(nodes_below(x + rounding) + 1)};
}

}  // namespace topograd
