#include "apps/landscape/hessian/hessian_map.h"

#include <cmath>
#include <deque>
#include <filesystem>
#include <iostream>
#include <limits>

#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/common/surface_map.h"
#include "apps/landscape/hessian/hessian_flags.h"
#include "kernels/vector/vector.h"
#include "landscape/curvature/spectrum.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Sums of the two eigenvectors of points computed lately: where Lanczos' method begins nearby.
class RecentEigenvectors {
 public:
  explicit RecentEigenvectors(int64_t size)
      : most_(static_cast<size_t>(std::max<int64_t>(1, kMaxNumbers / size))) {}

  /// Of the nearest point; undefined where there is none.
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

/// The planes' names, with --trace or without.
std::vector<std::string> plane_names(int trace_products) {
  std::vector<std::string> names = {"lambda_max",    "lambda_min",     "lambda_ratio",
                                    "gradient_norm", "curvature_loss", "lambda_residual"};
  if (trace_products > 0) names.insert(names.end(), {"trace", "trace_se"});
  return names;
}

class HessianMap {
 public:
  HessianMap(const cxxopts::ParseResult& flags, const std::string& command)
      : flags_(flags),
        pool_(cli::pool(flags)),
        model_(load_model(
            required_model(cli::text_of(flags, "model-file"), "hessian MODEL.safetensors"),
            cli::text_of(flags, "model"))),
        images_(surface_images(flags, model_, false)),
        choice_(flags, model_),
        tolerance_(cli::real(flags, "tolerance", 1e-7, 1)),
        basis_(static_cast<int>(cli::whole(flags, "basis", 0, 10'000))),
        most_products_(static_cast<int>(cli::whole(flags, "most-products", 1, 1'000'000))),
        trace_products_(static_cast<int>(cli::whole(flags, "trace", 0, 1'000'000))) {
    for (const char* flag : {"largest", "smallest", "density", "density-steps", "no-vectors"})
      require(flags.count(flag) == 0, "--", flag,
              " has no place beside --over, which finds the two extreme eigenvalues of each point");
    cli::force_implementations(flags, pool_);
    require(images_.sets.size() == 1,
            "--split both: curvature is of one set; choose train or test");
    require(trace_products_ == 0 || trace_products_ >= 6, "--trace ", trace_products_,
            ": at least 6 products, or 0 for none");
    require(basis_ == 0 || basis_ >= 5, "--basis ", basis_,
            ": at least 3 more than the two eigenvalues, 5");
    map_.emplace(flags, model_,
                 SurfaceMapSpec{.quantity = "curvature",
                                .planes = plane_names(trace_products_),
                                .output = output(),
                                .choices = choices(),
                                .device = pool_.device(),
                                .command = command});
  }

  int run() {
    note_clean_labels(flags_, images_, model_);
    if (!compute()) return cli::kInterruptedStatus;
    report();
    return 0;
  }

 private:
  std::string output() const {
    return cli::text_of(flags_, "output",
                        fs::path(cli::text_of(flags_, "over")).stem().string() + "_hessian.h5");
  }

  Provenance choices() const {
    Provenance p;
    images_.describe(p);
    choice_.describe(p);
    p["seed"] = text(cli::seed(flags_));
    p["tolerance"] = text(tolerance_);
    p["trace_products"] = text(trace_products_);
    return p;
  }

  bool compute() {
    CurvatureOperator curvature(choice_.spec(model_, images_.sets[0]), pool_);
    RecentEigenvectors recent(curvature.size());
    const bool all = map_->compute([&](const SurfaceMap::Point& point) {
      curvature.move_to(point.theta, point.running_stats);
      return measure(curvature, point, recent);
    });
    if (unconverged_ > 0)
      cli::say("landscape: note: at ", unconverged_, " points residuals stayed above --tolerance ",
               tolerance_,
               " of the largest eigenvalue (the plane lambda_residual says by how much); "
               "--most-products or --basis would help");
    return all;
  }

  /// Nothing when interrupted.
  std::optional<SurfaceMap::Values> measure(CurvatureOperator& curvature,
                                            const SurfaceMap::Point& point,
                                            RecentEigenvectors& recent) {
    const Tensor gradient({curvature.size()}, DType::f32, pool_.device());
    SurfaceMap::Values values;
    values["curvature_loss"] = curvature.gradient(gradient);
    values["gradient_norm"] = norm(gradient, pool_.main_context());
    if (!std::isfinite(values["curvature_loss"] + values["gradient_norm"]))
      return values;  // far out on a plane; the rest stays NaN
    const auto go_on = [](int) { return !cli::interrupted(); };
    const LinearOperator A = [&](const Tensor& product, const Tensor& v) {
      curvature.multiply(product, v);
    };
    const ExtremeEigenpairs found =
        extreme_eigenpairs(A, curvature.size(),
                           {.tolerance = tolerance_,
                            .basis = basis_,
                            .most_products = most_products_,
                            .seed = cli::seed(flags_),
                            .start = recent.nearest(point.alpha, point.beta),
                            .progress = [&](int products, double) { return go_on(products); }},
                           pool_.main_context());
    if (cli::interrupted()) return std::nullopt;
    enter(values, found);
    remember(found, point, recent);
    if (trace_products_ > 0) {
      const TraceEstimate trace = estimate_trace(A, curvature.size(), trace_products_,
                                                 cli::seed(flags_), pool_.main_context(), go_on);
      if (cli::interrupted()) return std::nullopt;
      values["trace"] = trace.value;
      values["trace_se"] = trace.standard_error;
    }
    return values;
  }

  void enter(SurfaceMap::Values& values, const ExtremeEigenpairs& found) {
    const Eigenpair &most = found.largest.at(0), &least = found.smallest.at(0);
    values["lambda_max"] = most.value;
    values["lambda_min"] = least.value;
    values["lambda_ratio"] = std::fabs(least.value / most.value);
    values["lambda_residual"] = std::max(most.residual, least.residual) /
                                std::max(std::fabs(most.value), std::fabs(least.value));
    if (!found.converged) ++unconverged_;
  }

  void remember(const ExtremeEigenpairs& found, const SurfaceMap::Point& point,
                RecentEigenvectors& recent) {
    const Tensor sum = found.largest[0].vector.clone();
    axpy({.y = sum, .x = found.smallest[0].vector, .a = 1}, pool_.main_context());
    recent.add(point.alpha, point.beta, sum);
  }

  void report() const {
    const Surface& surface = map_->surface();
    std::cout << output() << ": " << surface.points() << " points, "
              << surface.provenance.at("curvature") << " of the " << images_.names[0]
              << " loss over " << images_.sets[0].count() << " images, " << choice_.parameters
              << " parameters of " << topograd::describe(model_.spec) << '\n';
    map_->print_ranges();
    const std::string over =
        text(surface.provenance.at("curvature"), " over ", images_.sets[0].count(), " images, ",
             images_.description, ", BatchNorm ", surface.provenance.at("bn_mode"));
    map_->draw("lambda_ratio", "|smallest / largest eigenvalue|", "ratio", over);
    map_->draw("lambda_max", "largest eigenvalue", "max", over);
    map_->draw("lambda_min", "smallest eigenvalue", "min", over);
    map_->draw("gradient_norm", "norm of the gradient", "gradient", over);
    if (trace_products_ > 0) map_->draw("trace", "trace", "trace", over);
  }

  const cxxopts::ParseResult& flags_;
  ThreadPool pool_;
  LoadedModel model_;
  SurfaceImages images_;
  CurvatureChoice choice_;
  double tolerance_;
  int basis_, most_products_, trace_products_;
  std::optional<SurfaceMap> map_;
  int64_t unconverged_ = 0;
};

}  // namespace

int run_hessian_map(const cxxopts::ParseResult& flags, const std::string& command) {
  return HessianMap(flags, command).run();
}

}  // namespace topograd
