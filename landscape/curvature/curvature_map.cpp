#include "landscape/curvature/curvature_map.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "kernels/vector/vector.h"
#include "landscape/curvature/spectrum.h"

namespace topograd {

namespace {

/// Sums of the two eigenvectors of points computed lately, from which Lanczos' method begins
/// nearby.
class RecentEigenvectors {
 public:
  explicit RecentEigenvectors(int64_t size)
      : most_(static_cast<size_t>(std::max<int64_t>(1, kMaxNumbers / size))) {}

  /// Returns the sum at the nearest point; undefined where there is none.
  Tensor nearest(double alpha, double beta) const {
    double shortest = std::numeric_limits<double>::infinity();
    Tensor found;
    for (const Entry& entry : entries_) {
      const double distance = std::hypot(entry.alpha - alpha, entry.beta - beta);
      if (distance >= shortest) continue;
      shortest = distance;
      found = entry.vector;
    }
    return found;
  }

  void add(double alpha, double beta, const Tensor& vector) {
    entries_.push_back({alpha, beta, vector});
    if (entries_.size() > most_) entries_.pop_front();
  }

 private:
  static constexpr int64_t kMaxNumbers = int64_t{1} << 26;  // 256 MiB
  struct Entry {
    double alpha, beta;
    Tensor vector;
  };
  size_t most_;
  std::deque<Entry> entries_;
};

/// Enters what Lanczos' method found at a point.
void enter(SurfaceMap::Values& values, const ExtremeEigenpairs& found) {
  const Eigenpair &most = found.largest.at(0), &least = found.smallest.at(0);
  values["lambda_max"] = most.value;
  values["lambda_min"] = least.value;
  values["lambda_ratio"] = std::fabs(least.value / most.value);
  values["lambda_residual"] = std::max(most.residual, least.residual) /
                              std::max(std::fabs(most.value), std::fabs(least.value));
}

}  // namespace

void CurvatureMapSettings::describe(Provenance& p) const {
  p["seed"] = text(seed);
  p["tolerance"] = text(tolerance);
  p["basis"] = text(basis);
  p["max_products"] = text(max_products);
  p["trace_products"] = text(trace_products);
}

std::vector<std::string> CurvatureMapSettings::planes() const {
  std::vector<std::string> names = {"lambda_max",    "lambda_min",     "lambda_ratio",
                                    "gradient_norm", "curvature_loss", "lambda_residual"};
  if (trace_products > 0) names.insert(names.end(), {"trace", "trace_se"});
  return names;
}

void check(const CurvatureMapSettings& s) {
  require(s.trace_products == 0 || s.trace_products >= 6, "--trace ", s.trace_products,
          ": at least 6 products, or 0 for none");
  require(s.basis == 0 || s.basis >= 5, "--basis ", s.basis,
          ": at least 3 more than the two eigenvalues, 5");
  require(s.max_products > 4, "--max-products ", s.max_products,
          ": each of the two eigenvalues takes two to measure its residual; at least 5");
}

struct CurvatureAtPoints::State {
  CurvatureMapSettings settings;
  ThreadPool& pool;
  Observer& observer;
  CurvatureOperator curvature;
  RecentEigenvectors recent;
  int64_t unconverged = 0;

  State(const CurvatureMapSettings& its_settings, const CurvatureSpec& spec, ThreadPool& its_pool,
        Observer& its_observer)
      : settings(its_settings),
        pool(its_pool),
        observer(its_observer),
        curvature(spec, pool),
        recent(curvature.size()) {}

  bool go_on() const { return !observer.stop_requested(); }

  ExtremeEigenpairs eigenpairs(const LinearOperator& A, const SurfaceMap::Point& point) {
    return extreme_eigenpairs(
        A, curvature.size(),
        {.tolerance = settings.tolerance,
         .basis = settings.basis,
         .max_products = settings.max_products,
         .seed = settings.seed,
         .start = recent.nearest(point.alpha, point.beta),
         .nearby = [this](const Tensor& product,
                          const Tensor& v) { curvature.multiply_nearby(product, v); },
         .progress = [this](int, double) { return go_on(); }},
        pool.main_context());
  }

  void remember(const ExtremeEigenpairs& found, const SurfaceMap::Point& point) {
    const Tensor sum = found.largest[0].vector.clone();
    axpy({.y = sum, .x = found.smallest[0].vector, .a = 1}, pool.main_context());
    recent.add(point.alpha, point.beta, sum);
  }
};

CurvatureAtPoints::CurvatureAtPoints(const CurvatureMapSettings& settings,
                                     const CurvatureSpec& spec, ThreadPool& pool,
                                     Observer& observer)
    : state_(std::make_unique<State>(settings, spec, pool, observer)) {}
CurvatureAtPoints::~CurvatureAtPoints() = default;

int64_t CurvatureAtPoints::unconverged() const {
  return state_->unconverged;
}

std::optional<SurfaceMap::Values> CurvatureAtPoints::measure(const SurfaceMap::Point& point) {
  State& s = *state_;
  s.curvature.move_to(point.theta, point.running_stats);
  const Tensor gradient({s.curvature.size()}, DType::f32, s.pool.device());
  SurfaceMap::Values values;
  values["curvature_loss"] = s.curvature.gradient(gradient);
  values["gradient_norm"] = norm(gradient, s.pool.main_context());
  if (!std::isfinite(values["curvature_loss"] + values["gradient_norm"]))
    return values;  // far out on a plane; the rest stays NaN
  const LinearOperator A = [&](const Tensor& product, const Tensor& v) {
    s.curvature.multiply(product, v);
  };
  const ExtremeEigenpairs found = s.eigenpairs(A, point);
  if (!s.go_on()) return std::nullopt;
  enter(values, found);
  if (!found.converged) ++s.unconverged;
  s.remember(found, point);
  if (s.settings.trace_products > 0) {
    const TraceEstimate trace =
        estimate_trace(A, s.curvature.size(), s.settings.trace_products, s.settings.seed,
                       s.pool.main_context(), [&](int) { return s.go_on(); });
    if (!s.go_on()) return std::nullopt;
    values["trace"] = trace.value;
    values["trace_se"] = trace.standard_error;
  }
  return values;
}

}  // namespace topograd
