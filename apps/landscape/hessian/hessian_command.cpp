#include "apps/landscape/hessian/hessian_command.h"

#include <cmath>
#include <filesystem>
#include <iostream>

#include "apps/common/model_file.h"
#include "apps/common/progress.h"
#include "apps/common/table.h"
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/common/surface_map.h"
#include "apps/landscape/hessian/hessian_flags.h"
#include "apps/landscape/hessian/hessian_map.h"
#include "kernels/core/format.h"
#include "kernels/vector/vector.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What must agree for a file to be continued.
const std::vector<std::string> kIdentity = {"model_hash", "data_hash", "images",     "data",
                                            "loss",       "curvature", "parameters", "bn_mode",
                                            "device",     "subset",    "seed"};

/// Thrown where Ctrl-C came; what was finished is saved.
struct Interrupted {};

class HessianRun {
 public:
  HessianRun(const cxxopts::ParseResult& flags, const std::string& command)
      : flags_(flags),
        pool_(cli::pool(flags)),
        model_(load_model(
            required_model(cli::text_of(flags, "model-file"), "hessian MODEL.safetensors"),
            cli::text_of(flags, "model"))),
        output_(
            cli::text_of(flags, "output", fs::path(model_.path).stem().string() + "_hessian.h5")),
        images_(surface_images(flags, model_, false)),
        choice_(flags, model_),
        largest_(static_cast<int>(cli::whole(flags, "largest", 0, 1000))),
        smallest_(static_cast<int>(cli::whole(flags, "smallest", 0, 1000))),
        tolerance_(cli::real(flags, "tolerance", 1e-7, 1)),
        basis_(static_cast<int>(cli::whole(flags, "basis", 0, 10'000))),
        most_products_(static_cast<int>(cli::whole(flags, "most-products", 1, 1'000'000))),
        trace_products_(static_cast<int>(cli::whole(flags, "trace", 0, 1'000'000))),
        probes_(static_cast<int>(cli::whole(flags, "density", 0, 100'000))),
        steps_(static_cast<int>(cli::whole(flags, "density-steps", 1, 10'000))) {
    cli::force_implementations(flags, pool_);
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require(images_.sets.size() == 1,
            "--split both: curvature is of one set; choose train or test");
    require(trace_products_ == 0 || trace_products_ >= 6, "--trace ", trace_products_,
            ": at least 6 products, or 0 for none");
    require(basis_ == 0 || basis_ >= largest_ + smallest_ + 3, "--basis ", basis_,
            ": at least 3 more than the eigenvalues, ", largest_ + smallest_ + 3);
    describe(command);
    continue_or_begin();
  }

  int run() {
    note_clean_labels(flags_, images_, model_);
    try {
      compute();
    } catch (const Interrupted&) {
      cli::say("landscape: interrupted; what was finished is saved in ", output_,
               ": repeat the command to continue");
      return cli::kInterruptedStatus;
    }
    report();
    return 0;
  }

 private:
  void describe(const std::string& command) {
    Provenance& p = results_.provenance;
    describe_model(p, model_);
    images_.describe(p);
    p["seed"] = text(cli::seed(flags_));
    choice_.describe(p);
    describe_run(p, pool_.device(), command);
  }

  void continue_or_begin() {
    if (!is_there(output_)) {
      save();  // a place that cannot be written should fail now, not in an hour
      return;
    }
    CurvatureResults saved = CurvatureResults::load(output_, model_.graph.layout());
    require_same_command(output_, saved.provenance, results_.provenance, kIdentity);
    saved.provenance = results_.provenance;
    results_ = saved;
    // A stage that is asked for otherwise than it was computed is computed again.
    const auto count = [](const std::optional<Eigenvalues>& e) {
      return e ? static_cast<int>(e->values.size()) : 0;
    };
    if (count(results_.largest) < largest_ || count(results_.smallest) < smallest_)
      results_.largest = results_.smallest = std::nullopt;
    if (results_.trace && results_.trace->products != trace_products_ / 3 * 3 &&
        trace_products_ > 0)
      results_.trace.reset();
    if (results_.density && static_cast<int>(results_.density->probes.size()) < probes_)
      results_.density.reset();
  }

  void save() const { results_.save(output_, model_.graph.layout()); }

  void compute() {
    CurvatureOperator curvature(choice_.spec(model_, images_.sets[0]), pool_);
    const LinearOperator A = [&](const Tensor& product, const Tensor& v) {
      curvature.multiply(product, v);
    };
    if (!results_.gradient_norm) {
      const Tensor gradient({curvature.size()}, DType::f32, pool_.device());
      results_.loss = curvature.gradient(gradient);
      results_.gradient_norm = norm(gradient, pool_.main_context());
      save();
    }
    if (largest_ + smallest_ > 0 && !results_.largest) find_eigenvalues(curvature, A);
    if (trace_products_ > 0 && !results_.trace) find_trace(curvature, A);
    if (probes_ > 0 && !results_.density) find_density(curvature, A);
  }

  void find_eigenvalues(CurvatureOperator& curvature, const LinearOperator& A) {
    ProgressBar bar(most_products_);
    bool stopped = false;
    const ExtremeEigenpairs found = extreme_eigenpairs(
        A, curvature.size(),
        {.largest = largest_,
         .smallest = smallest_,
         .tolerance = tolerance_,
         .floor = floor(),
         .basis = basis_,
         .most_products = most_products_,
         .seed = cli::seed(flags_),
         .progress =
             [&](int products, double residual) {
               bar.update(products, "eigenvalues", text("residual ", significant(residual)));
               stopped = cli::interrupted();
               return !stopped;
             }},
        pool_.main_context());
    bar.clear();
    if (stopped) throw Interrupted();
    if (!found.converged)
      cli::say("landscape: note: after ", found.products,
               " products residuals are above --tolerance ", tolerance_,
               "; --most-products or --basis would help");
    results_.largest = eigenvalues_of(found.largest, curvature);
    results_.smallest = eigenvalues_of(found.smallest, curvature);
    save();
  }

  Eigenvalues eigenvalues_of(const std::vector<Eigenpair>& pairs, CurvatureOperator& curvature) {
    Eigenvalues result;
    const auto count = static_cast<int64_t>(pairs.size());
    result.vectors = Tensor({count, model_.graph.layout().parameter_count()});
    for (int64_t k = 0; k < count; ++k) {
      const Eigenpair& pair = pairs[static_cast<size_t>(k)];
      result.values.push_back(pair.value);
      result.residuals.push_back(pair.residual);
      result.vectors.rows(k, k + 1).copy_from(curvature.in_theta(pair.vector));
    }
    if (count == 0 || flags_.count("no-vectors")) result.vectors = Tensor();
    return result;
  }

  /// Draws progress, and stops at Ctrl-C.
  static ProductProgress progress(ProgressBar& bar, const std::string& label) {
    return [&bar, label](int products) {
      bar.update(products, label, text(products, " products"));
      return !cli::interrupted();
    };
  }

  void find_trace(CurvatureOperator& curvature, const LinearOperator& A) {
    ProgressBar bar(trace_products_);
    const TraceEstimate trace =
        estimate_trace(A, curvature.size(), trace_products_, cli::seed(flags_),
                       pool_.main_context(), progress(bar, "trace"));
    bar.clear();
    if (cli::interrupted()) throw Interrupted();
    results_.trace = trace;
    save();
  }

  void find_density(CurvatureOperator& curvature, const LinearOperator& A) {
    ProgressBar bar(int64_t{probes_} * steps_);
    const SpectralDensity density = spectral_density(
        A, curvature.size(), {.probes = probes_, .steps = steps_, .seed = cli::seed(flags_)},
        pool_.main_context(), progress(bar, "density"));
    bar.clear();
    if (cli::interrupted()) throw Interrupted();
    results_.density = density;
    save();
  }

  /// A Hessian's eigenvalues are found to a share of their own size, down to 1e-4 of the largest's;
  /// a Gauss-Newton matrix' smallest is 0 for most networks, and has no size of its own.
  double floor() const { return choice_.curvature == Curvature::hessian ? 1e-4 : 1; }

  static void print_eigenvalues(const char* name, const std::optional<Eigenvalues>& e) {
    if (!e || e->values.empty()) return;
    std::cout << name << ":";
    for (size_t k = 0; k < e->values.size(); ++k)
      std::cout << (k == 0 ? " " : ", ") << significant(e->values[k]) << " ("
                << significant(e->residuals[k]) << ")";
    std::cout << '\n';
  }

  void report() const {
    std::cout << output_ << ": " << results_.provenance.at("curvature") << " of the "
              << images_.names[0] << " loss over " << images_.sets[0].count() << " images, "
              << results_.provenance.at("parameters") << " parameters of "
              << topograd::describe(model_.spec) << "; loss " << significant(*results_.loss)
              << ", |gradient| " << significant(*results_.gradient_norm) << '\n';
    print_eigenvalues("largest eigenvalues (residuals)", results_.largest);
    print_eigenvalues("smallest eigenvalues (residuals)", results_.smallest);
    if (results_.trace)
      std::cout << "trace: " << significant(results_.trace->value) << " +- "
                << significant(results_.trace->standard_error) << '\n';
    if (results_.density)
      std::cout << "eigenvalues below 0: " << significant(100 * results_.density->mass_below(0))
                << " % (" << results_.density->probes.size() << " probes)\n";
  }

  const cxxopts::ParseResult& flags_;
  ThreadPool pool_;
  LoadedModel model_;
  std::string output_;
  SurfaceImages images_;
  CurvatureChoice choice_;
  int largest_, smallest_;
  double tolerance_;
  int basis_, most_products_;
  int trace_products_, probes_, steps_;
  CurvatureResults results_;
};

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options hessian_flags() {
  cxxopts::Options options("landscape hessian",
                           "Eigenvalues, trace and spectral density of the loss's curvature at a network.\n");
  options.positional_help("MODEL.safetensors").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  add_curvature_flags(options);
  options.add_options("Curvature")
      ("largest", "how many of the largest eigenvalues, with eigenvectors", value("5"))
      ("smallest", "how many of the smallest", value("1"))
      ("tolerance", "of their residuals |Hx - lambda x|, as a share of |lambda| (Gauss-Newton, --over: of the largest)", value("1e-3"))
      ("basis", "vectors that Lanczos' method keeps at a time (0: twice the eigenvalues and 20 more)", value("0"))
      ("most-products", "products with the matrix at most", value("1000"))
      ("trace", "the trace, with its standard error, from that many products (0: none)", value("0"))
      ("density", "the spectral density, from that many random vectors (0: none)", value("0"))
      ("density-steps", "products for each of them", value("80"))
      ("seed", "of random vectors", value("1"));
  add_image_flags(options);
  add_map_flags(options);
  options.add_options("Output")
      ("output,o", "the results' HDF5 file; what it lacks is computed", string())
      ("no-vectors", "without eigenvectors");
  options.add_options("Run")
      ("device", cli::kDeviceHelp, value("auto"))
      ("threads", "of the device cpu; 0: one per processor", value("0"))
      ("impl", "force an implementation, as in conv2d=reference",
       cxxopts::value<std::vector<std::string>>())
      ("model-file", "the checkpoint, as the first argument", string())
      ("model", "refuse the checkpoint unless it is this network", string())
      ("help", "print this");
  options.parse_positional({"model-file"});
  return options;
}
// clang-format on

int run_hessian(const cxxopts::ParseResult& flags, const std::string& command) {
  require(flags.unmatched().empty(), "'", flags.unmatched().empty() ? "" : flags.unmatched()[0],
          "' is not a flag; see landscape hessian --help");
  cli::catch_interruption();
  if (flags.count("over")) return run_hessian_map(flags, command);
  return HessianRun(flags, command).run();
}

}  // namespace topograd
