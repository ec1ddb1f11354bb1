#include "apps/landscape/hessian/hessian_command.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/landscape/hessian/hessian_map.h"
#include "apps/landscape/hessian/hessian_plan.h"
#include "kernels/core/format.h"
#include "landscape/results/result_names.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

void print_eigenvalues(const char* name, const std::optional<Eigenvalues>& e) {
  if (!e || e->values.empty()) return;
  cli::out() << name << ":";
  for (size_t k = 0; k < e->values.size(); ++k)
    cli::out() << (k == 0 ? " " : ", ") << significant(e->values[k]) << " ("
               << significant(e->residuals[k]) << ")";
  cli::out() << '\n';
}

/// Prints what the density knows of negative eigenvalues: of all, and of those beyond its smoothing.
void print_masses(const SpectralDensity& density) {
  const auto between = [&](double x) {
    const MassBelow mass = density.mass_below(x);
    return text("below ", significant(x, 3), ": ", significant(100 * mass.low, 3), " (+- ",
                significant(100 * mass.low_error, 2), ") to ", significant(100 * mass.high, 3),
                " (+- ", significant(100 * mass.high_error, 2), ") %");
  };
  cli::out() << "eigenvalues " << between(0) << ", " << between(-density.sigma)
             << " (bounds of the quadrature, standard errors over " << density.probes.size()
             << " probes; -" << significant(density.sigma, 3) << " is the curve's resolution)\n";
}

void print_results(const CurvatureResults& results, const std::string& output,
                   const ImageSets& images) {
  const Provenance& p = results.provenance;
  cli::out() << output << ": " << p.at("curvature") << " of the " << images.names[0]
             << " loss over " << images.sets[0].count() << " images, " << p.at("parameters")
             << " parameters of " << p.at("model_name") << "; loss " << significant(*results.loss)
             << ", |gradient| " << significant(*results.gradient_norm) << '\n';
  print_eigenvalues("largest eigenvalues (residuals)", results.largest);
  print_eigenvalues("smallest eigenvalues (residuals)", results.smallest);
  if (results.trace)
    cli::out() << "trace: " << significant(results.trace->value) << " +- "
               << significant(results.trace->standard_error) << '\n';
  if (results.density) print_masses(*results.density);
}

}  // namespace

int HessianCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    const auto observer = cli::observer("landscape");
    const auto pool = flags_.run.pool();
    const LoadedModel model = load_model(flags_.model, flags_.expected_model.value_or(""));
    flags_.curvature.loss = flags_.loss.of(model.info);
    const ImageSets images = select_images(flags_.images, model);
    if (const std::string note = clean_labels_note(flags_.images, model); !note.empty())
      observer->note("note: " + note);
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    if (flags_.map.over) return map_curvature(flags_, model, images, provenance, *pool, *observer);
    const std::string output = flags_.output.value_or(result_beside(model.path, "hessian"));
    const auto plans = [&](cli::Measurement measurement) {
      const CurvatureStages to_do =
          curvature_to_do(flags_.settings, flags_.curvature, model, images, provenance, output);
      return std::vector{curvature_plan(flags_, model, images, to_do, output, *pool, measurement)};
    };
    if (!cli::goes_on(flags_.dry_run, plans, *pool, *observer)) return 0;
    const CurvatureResults results = analyse_curvature(
        flags_.settings, flags_.curvature, model, images, provenance, output, *pool, *observer);
    print_results(results, output, images);
    return 0;
  });
}

}  // namespace topograd
