#include "landscape/curvature/curvature_analysis.h"

#include "kernels/core/format.h"
#include "kernels/vector/vector.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

class CurvatureAnalysis {
 public:
  CurvatureAnalysis(const CurvatureSettings& settings, const CurvatureSpec& spec,
                    const Provenance& provenance, const std::string& output, ThreadPool& pool,
                    Observer& observer)
      : settings_(settings),
        spec_(spec),
        output_(output),
        claim_(claim_output(output)),
        pool_(pool),
        observer_(observer) {
    results_.provenance = provenance;
    continue_or_begin();
  }

  CurvatureResults run() {
    CurvatureOperator curvature(spec_, pool_);
    const LinearOperator A = [&](const Tensor& product, const Tensor& v) {
      curvature.multiply(product, v);
    };
    if (!results_.gradient_norm) {
      const Tensor gradient({curvature.size()}, DType::f32, pool_.device());
      results_.loss = curvature.gradient(gradient);
      results_.gradient_norm = norm(gradient, pool_.main_context());
      save();
    }
    if (settings_.largest + settings_.smallest > 0 && !results_.largest)
      find_eigenvalues(curvature, A);
    if (settings_.trace_products > 0 && !results_.trace) find_trace(curvature.size(), A);
    if (settings_.probes > 0 && !results_.density) find_density(curvature.size(), A);
    return results_;
  }

 private:
  const ParameterLayout& layout() const { return spec_.graph.layout(); }
  void save() const { results_.save(output_, layout()); }

  void continue_or_begin() {
    const auto saved =
        load_saved(output_, results_.provenance, identity_with({"curvature", "parameters", "seed"}),
                   [&] { return CurvatureResults::load(output_, layout()); });
    if (!saved) {
      save();  // so that a place that cannot be written fails now
      return;
    }
    results_ = *saved;
    // A stage that is asked for otherwise than it was computed is computed again.
    const auto count = [](const std::optional<Eigenvalues>& e) {
      return e ? static_cast<int>(e->values.size()) : 0;
    };
    if (count(results_.largest) < settings_.largest ||
        count(results_.smallest) < settings_.smallest)
      results_.largest = results_.smallest = std::nullopt;
    const int products = settings_.trace_products;
    if (results_.trace && results_.trace->products != products / 3 * 3 && products > 0)
      results_.trace.reset();
    if (results_.density && static_cast<int>(results_.density->probes.size()) < settings_.probes)
      results_.density.reset();
  }

  void stop_if_requested() const {
    topograd::stop_if_requested(observer_, "what was finished is saved in " + output_);
  }

  /// Tells the observer; returns false where it asks to stop.
  bool tell(int products, const std::string& detail) const {
    observer_.advance(products, [&] { return detail; });
    return !observer_.stop_requested();
  }

  void find_eigenvalues(CurvatureOperator& curvature, const LinearOperator& A) {
    // Eigenvalues of a Hessian are found to a share of their own size, down to 1e-4 of the
    // largest's; a Gauss-Newton matrix' smallest is 0 for most networks, and has no size of its
    // own.
    const double floor = spec_.curvature == Curvature::hessian ? 1e-4 : 1;
    std::optional<Stage> stage(std::in_place, observer_, "eigenvalues", settings_.max_products);
    const ExtremeEigenpairs found =
        extreme_eigenpairs(A, curvature.size(),
                           {.largest = settings_.largest,
                            .smallest = settings_.smallest,
                            .tolerance = settings_.tolerance,
                            .floor = floor,
                            .basis = settings_.basis,
                            .max_products = settings_.max_products,
                            .seed = settings_.seed,
                            .progress =
                                [&](int products, double residual) {
                                  return tell(products, "residual " + significant(residual));
                                }},
                           pool_.main_context());
    stage.reset();
    stop_if_requested();
    if (!found.converged)
      observer_.note(text("note: after ", found.products,
                          " products residuals are above --tolerance ", settings_.tolerance,
                          "; --max-products or --basis would help"));
    results_.largest = eigenvalues_of(found.largest, curvature);
    results_.smallest = eigenvalues_of(found.smallest, curvature);
    save();
  }

  Eigenvalues eigenvalues_of(const std::vector<Eigenpair>& pairs, CurvatureOperator& curvature) {
    Eigenvalues result;
    const auto count = static_cast<int64_t>(pairs.size());
    result.vectors = Tensor({count, layout().parameter_count()});
    for (int64_t k = 0; k < count; ++k) {
      const Eigenpair& pair = pairs[static_cast<size_t>(k)];
      result.values.push_back(pair.value);
      result.residuals.push_back(pair.residual);
      result.vectors.rows(k, k + 1).copy_from(curvature.in_theta(pair.vector));
    }
    if (count == 0 || !settings_.keep_vectors) result.vectors = Tensor();
    return result;
  }

  ProductProgress progress() const {
    return [this](int products) { return tell(products, text(products, " products")); };
  }

  void find_trace(int64_t size, const LinearOperator& A) {
    std::optional<Stage> stage(std::in_place, observer_, "trace", settings_.trace_products);
    const TraceEstimate trace = estimate_trace(A, size, settings_.trace_products, settings_.seed,
                                               pool_.main_context(), progress());
    stage.reset();
    stop_if_requested();
    results_.trace = trace;
    save();
  }

  void find_density(int64_t size, const LinearOperator& A) {
    std::optional<Stage> stage(std::in_place, observer_, "density",
                               int64_t{settings_.probes} * settings_.steps);
    const SpectralDensity density = spectral_density(
        A, size, {.probes = settings_.probes, .steps = settings_.steps, .seed = settings_.seed},
        pool_.main_context(), progress());
    stage.reset();
    stop_if_requested();
    results_.density = density;
    save();
  }

  const CurvatureSettings& settings_;
  CurvatureSpec spec_;
  const std::string& output_;
  OutputClaim claim_;
  ThreadPool& pool_;
  Observer& observer_;
  CurvatureResults results_;
};

}  // namespace

void check(const CurvatureSettings& s) {
  require(s.trace_products == 0 || s.trace_products >= 6, "--trace ", s.trace_products,
          ": at least 6 products, or 0 for none");
  require(s.basis == 0 || s.basis >= s.largest + s.smallest + 3, "--basis ", s.basis,
          ": at least 3 more than the eigenvalues, ", s.largest + s.smallest + 3);
}

CurvatureResults analyse_curvature(const CurvatureSettings& settings,
                                   const CurvatureSelection& selection, const LoadedModel& model,
                                   const ImageSets& images, const Provenance& provenance,
                                   const std::string& output, ThreadPool& pool,
                                   Observer& observer) {
  check(settings);
  require(images.sets.size() == 1, "--split both: curvature is of one set; choose train or test");
  Provenance described = provenance;
  describe_model(described, model);
  images.describe(described);
  selection.describe(described);
  described["seed"] = text(settings.seed);
  return CurvatureAnalysis(settings, curvature_spec(selection, model, images.sets[0]), described,
                           output, pool, observer)
      .run();
}

}  // namespace topograd
