#include "landscape/curvature/curvature_analysis.h"

#include "kernels/core/format.h"
#include "kernels/vector/vector.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

/// Whether the file's eigenvalues are as many and as good as those asked for: within the tolerance,
/// or as near to it as the same search came.
bool holds_eigenvalues(const CurvatureSettings& settings, const CurvatureResults& file) {
  const auto count = [](const std::optional<Eigenvalues>& e) {
    return e ? static_cast<int>(e->values.size()) : 0;
  };
  if (count(file.largest) < settings.largest || count(file.smallest) < settings.smallest ||
      !file.search)
    return false;
  for (const auto* end : {&file.largest, &file.smallest})
    if (settings.keep_vectors && count(*end) > 0 && !(*end)->vectors.defined()) return false;
  const EigenvalueSearch& search = *file.search;
  return (search.converged && search.tolerance <= settings.tolerance) ||
         (search.tolerance == settings.tolerance && search.basis == settings.basis &&
          search.max_products == settings.max_products);
}

bool holds_trace(const CurvatureSettings& settings, const CurvatureResults& file) {
  return file.trace && file.trace->products >= settings.trace_products / 3 * 3;
}

bool holds_density(const CurvatureSettings& settings, const CurvatureResults& file) {
  return file.density && static_cast<int>(file.density->probes.size()) >= settings.probes &&
         file.density->steps >= settings.steps;
}

/// Returns the stages that are asked for and that a file lacks, or has from coarser settings.
CurvatureStages stages_to_do(const CurvatureSettings& settings, const CurvatureResults& file) {
  return {
      .gradient = !file.gradient_norm,
      .eigenvalues = settings.largest + settings.smallest > 0 && !holds_eigenvalues(settings, file),
      .trace = settings.trace_products > 0 && !holds_trace(settings, file),
      .density = settings.probes > 0 && !holds_density(settings, file),
  };
}

std::optional<CurvatureResults> saved_results(const std::string& output,
                                              const Provenance& provenance,
                                              const ParameterLayout& layout) {
  return load_saved(output, provenance, identity_with({"curvature", "parameters", "seed"}),
                    [&] { return CurvatureResults::load(output, layout); });
}

/// Returns the provenance with the facts of the network, the images and the matrix.
Provenance described(Provenance provenance, const CurvatureSettings& settings,
                     const CurvatureSelection& selection, const LoadedModel& model,
                     const ImageSets& images) {
  require(images.sets.size() == 1, "--split both: curvature is of one set; choose train or test");
  describe_model(provenance, model);
  images.describe(provenance);
  selection.describe(provenance);
  provenance["seed"] = text(settings.seed);
  return provenance;
}

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
    if (to_do_.gradient) {
      const Tensor gradient({curvature.size()}, DType::f32, pool_.device());
      results_.loss = curvature.gradient(gradient);
      results_.gradient_norm = norm(gradient, pool_.main_context());
      save();
    }
    if (to_do_.eigenvalues) find_eigenvalues(curvature, A);
    if (to_do_.trace) find_trace(curvature.size(), A);
    if (to_do_.density) find_density(curvature.size(), A);
    return results_;
  }

 private:
  const ParameterLayout& layout() const { return spec_.graph.layout(); }
  void save() const { results_.save(output_, layout()); }

  void continue_or_begin() {
    const auto saved = saved_results(output_, results_.provenance, layout());
    if (saved) results_ = *saved;
    to_do_ = stages_to_do(settings_, results_);
    if (!saved) save();  // so that a place that cannot be written fails now
    // A stage that is coarser than it is asked for now is computed again; one that is as fine, or
    // finer, is kept.
    if (to_do_.eigenvalues && results_.largest) {
      note_coarser("eigenvalues");
      results_.largest = results_.smallest = std::nullopt;
      results_.search.reset();
    }
    if (to_do_.trace && results_.trace) {
      note_coarser("trace");
      results_.trace.reset();
    }
    if (to_do_.density && results_.density) {
      note_coarser("density");
      results_.density.reset();
    }
  }

  void note_coarser(const std::string& stage) const {
    observer_.note(text("note: ", output_, " has the ", stage,
                        " from coarser settings than these: computed again"));
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
  CurvatureStages to_do_;
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
  return CurvatureAnalysis(settings, curvature_spec(selection, model, images.sets.at(0)),
                           described(provenance, settings, selection, model, images), output, pool,
                           observer)
      .run();
}

CurvatureStages curvature_to_do(const CurvatureSettings& settings,
                                const CurvatureSelection& selection, const LoadedModel& model,
                                const ImageSets& images, const Provenance& provenance,
                                const std::string& output) {
  const auto saved = saved_results(
      output, described(provenance, settings, selection, model, images), model.graph.layout());
  return stages_to_do(settings, saved.value_or(CurvatureResults{}));
}

Workload workload_of(const CurvatureStages& stages, const CurvatureSettings& settings,
                     int64_t images) {
  const auto all = static_cast<double>(images);
  double products = 0;
  if (stages.eigenvalues)
    products += usual_products(settings.largest + settings.smallest, settings.max_products);
  if (stages.trace) products += settings.trace_products / 3 * 3;
  if (stages.density) products += static_cast<double>(settings.probes) * settings.steps;
  return {.gradients = stages.gradient ? all : 0, .products = products * all};
}

}  // namespace topograd
