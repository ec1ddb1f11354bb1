#include "apps/landscape/sharpness/sharpness_flags.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/common/run_plan.h"
#include "apps/landscape/common/image_flags.h"
#include "landscape/results/result_names.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

void add_measure_options(cli::Options& options, SharpnessSettings& s) {
  options.group("Measures")
      .words("measures", s.measures, "NAME,...", "all, or some of those below, with commas between")
      .real("keskar-epsilon", s.keskar_epsilon, {1e-9, 1e3}, "keskar: the box's size")
      .integer("keskar-steps", s.keskar_steps, {1, 100'000},
               "keskar: steps of projected gradient ascent")
      .real("rho", s.rho, {1e-9, 1e6}, "sam: length of the step")
      .real("asam-rho", s.asam_rho, {1e-9, 1e6}, "asam: length of the step")
      .real("asam-eta", s.asam_eta, {0, 1e6},
            "asam: added to |theta_i|; above 0 it is not invariant")
      .integer("ascent-steps", s.ascent_steps, {1, 100'000},
               "sam, asam: steps of ascent, together that long")
      .real("sigma", s.sigma, {1e-9, 1e6}, "expected_sharpness: in lengths of the filters")
      .integer("directions", s.directions, {1, 1'000'000}, "random directions of every mean")
      .real("target", s.target, {1e-9, 1e6},
            "pac_bayes_*: the increase, of the error as a share of all images")
      .choice("target-of", s.target_of, {{"error", IncreaseOf::error}, {"loss", IncreaseOf::loss}},
              "pac_bayes_*: of error or loss")
      .real("rise", s.rise, {1e-9, 1e6}, "basin_width: of the loss")
      .real("tolerance", s.tolerance, {1e-6, 1},
            "of pac_bayes_*, critical_sharpness and basin_width: relative")
      .real("eigenvalue-tolerance", s.eigenvalue_tolerance, {1e-7, 1},
            "lambda_max: its residual's, relative")
      .integer("max-products,most-products", s.max_products, {3, 1'000'000},
               "lambda_max: products with the Hessian at most, two of them for its residual")
      .integer("trace-products", s.trace_products, {6, 1'000'000},
               "trace: products with the Hessian, at least 6")
      .integer("test-images", s.test_images, {0, 1 << 30},
               "test_*, gap: the first n test images, whatever --images (0: all)")
      .seed("seed", s.seed, "of the random directions");
}

std::string definitions() {
  std::string all =
      "\nMeasures (docs/measures.md has the papers; BatchNorm stays on its running statistics):\n";
  for (const MeasureKind& kind : measure_kinds())
    all += text("  ", kind.name, std::string(27 - kind.name.size(), ' '), kind.definition,
                kind.invariant ? "" : " [a rescaling moves it]", '\n');
  return all;
}

bool all_differ(const std::vector<std::string>& words) {
  return std::set<std::string>(words.begin(), words.end()).size() == words.size();
}

}  // namespace

void SharpnessFlags::add_to(cli::Options& options) {
  options
      .about(
          "Measures of how sharp the minima of networks are, in one panel, with the numbers behind "
          "it in an HDF5 file per network. What is there already is not computed again.")
      .positionals("MODEL", models, "checkpoints, or trainings' folders: their networks")
      .epilogue(definitions());
  add_measure_options(options, settings);
  options
      .repeated("surface", surfaces, "FILE",
                "non_convex_share: a surface of the network; once for each network")
      .group("Reparametrisation")
      .flag("reparametrisation-test", reparametrisation_test,
            "rescale the network without changing its function, and show which numbers that moves")
      .real("factor", factor, {1e-6, 1e6}, "by how much")
      .real("unchanged-within", unchanged_within, {0, 1e6},
            "a ratio this near to 1 counts as unchanged");
  add_image_options(options, images);
  add_population_option(options, images);
  loss.add_to(options);
  options.group("Output")
      .file("output,o", output, "the results' HDF5 file; of several networks the folder of theirs")
      .output_file("json", json, "write the numbers here too")
      .flag("no-pictures", no_pictures, "none of --reparametrisation-test's slices");
  run.add_to(options);
  cli::add_dry_run_option(options, dry_run);
  options.files("models", models, "FILE,...", "the checkpoints, as arguments");
}

void SharpnessFlags::check() {
  require_models(models, "sharpness MODEL...");
  require(surfaces.empty() || surfaces.size() == models.size(), "--surface was given ",
          surfaces.size(), " times for ", models.size(),
          " networks: give one for each, in their order, or none");
  require(factor != 1, "--factor 1 changes nothing: choose another one, 10 say");
  require(!output || !output->empty(), "--output is empty: it names an HDF5 file");
  if (output && models.size() > 1) cli::require_folder_name(*output);
  topograd::check(settings);
  topograd::check(images);
  settings.population = population_of(images, images.split != Split::test);
  settings.test_population = population_of(images, false);
  settings.forced = run.forced_implementations();
}

std::vector<std::string> SharpnessFlags::outputs() const {
  if (models.size() == 1 && output) return {*output};
  std::vector<std::string> files;
  if (output && !dry_run) cli::make_folder(*output);
  for (const std::string& model : models) {
    std::string name = network_name(model);
    std::replace(name.begin(), name.end(), ' ', '_');
    files.push_back(output ? (fs::path(*output) / (name + "_sharpness.h5")).string()
                           : result_beside(model, "sharpness"));
  }
  require(all_differ(files),
          "two of the networks would be written to one file: give them different names, or run "
          "them one by one with --output");
  return files;
}

}  // namespace topograd
