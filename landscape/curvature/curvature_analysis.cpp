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
    // A stage that is coarser than it is asked for now is computed again; one that is as fine, or
    // finer, is kept.
    if (results_.largest && !holds_eigenvalues()) {
      note_coarser("eigenvalues");
      results_.largest = results_.smallest = std::nullopt;
      results_.search.reset();
    }
    const int products = settings_.trace_products / 3 * 3;
    if (results_.trace && results_.trace->products < products) {
      note_coarser("trace");
      results_.trace.reset();
    }
    const auto& density = results_.density;
    if (density && settings_.probes > 0 &&
        (static_cast<int>(density->probes.size()) < settings_.probes ||
         density->steps < settings_.steps)) {
      note_coarser("density");
      results_.density.reset();
    }
  }

  void note_coarser(const std::string& stage) const {
    observer_.note(text("note: ", output_, " has the ", stage,
                        " from coarser settings than these: computed again"));
  }

  /// Whether the file's eigenvalues are as many and as good as those asked for: within the
  /// tolerance, or as near to it as the same search came.
  bool holds_eigenvalues() const {
    const auto count = [](const std::optional<Eigenvalues>& e) {
      return e ? static_cast<int>(e->values.size()) : 0;
    };
    const int asked = settings_.largest + settings_.smallest;
    if (asked == 0) return true;
    if (count(results_.largest) < settings_.largest ||
        count(results_.smallest) < settings_.smallest || !results_.search)
      return false;
    for (const auto* end : {&results_.largest, &results_.smallest})
      if (settings_.keep_vectors && count(*end) > 0 && !(*end)->vectors.defined()) return false;
    const EigenvalueSearch& search = *results_.search;
    return (search.converged && search.tolerance <= settings_.tolerance) ||
           (search.tolerance == settings_.tolerance && search.basis == settings_.basis &&
            search.max_products == settings_.max_products);
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
    const ExtremeEigenpairs found = extreme_eigenpairs(
        A, curvature.size(),
        {.largest = settings_.largest,
         .smallest = settings_.smallest,
         .tolerance = settings_.tolerance,
         .floor = floor,
         .basis = settings_.basis,
         .max_products = settings_.max_products,
         .seed = settings_.seed,
         .nearby = [&](const Tensor& product,
                       const Tensor& v) { curvature.multiply_nearby(product, v); },
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
                          found.at_rounding ? ": rounding in f32 allows no smaller ones"
                                            : "; --max-products or --basis would help"));
    results_.largest = eigenvalues_of(found.largest, curvature);
    results_.smallest = eigenvalues_of(found.smallest, curvature);
    results_.search = {.tolerance = settings_.tolerance,
                       .basis = settings_.basis,
                       .max_products = settings_.max_products,
                       .products = found.products,
                       .converged = found.converged};
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
  const int to_measure = 2 * (s.largest + s.smallest);
  require(s.max_products > to_measure, "--max-products ", s.max_products,
          ": each eigenvalue takes two to measure its residual; at least ", to_measure + 1);
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
