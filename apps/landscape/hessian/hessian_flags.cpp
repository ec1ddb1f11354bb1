#include "apps/landscape/hessian/hessian_flags.h"

#include "apps/common/model_file.h"
#include "apps/common/run_plan.h"
#include "apps/landscape/common/image_flags.h"

namespace topograd {

void add_curvature_options(cli::Options& options, CurvatureSelection& selection) {
  options.group("Curvature")
      .choice("curvature", selection.curvature,
              {{"hessian", Curvature::hessian}, {"gauss-newton", Curvature::gauss_newton}},
              "hessian: of the mean loss; gauss-newton: of it the part that is never negative")
      .choice("parameters", selection.weights_alone, {{"all", false}, {"weights", true}},
              "all, or weights: without biases and BatchNorm's parameters")
      .words("layers", selection.layers, "NAME,...",
             "only these layers or blocks, with commas between: layer1.0,linear")
      .choice("bn", selection.batchnorm,
              {{"frozen", BatchnormMode::frozen}, {"batch", BatchnormMode::batch}},
              "BatchNorm: frozen, the running statistics; batch, each batch's own")
      .integer("bn-batch", selection.batch, {2, 1 << 20}, "images of a batch, for --bn batch");
}

void HessianFlags::add_to(cli::Options& options) {
  CurvatureSettings& s = settings;
  options
      .about(
          "Eigenvalues, trace and spectral density of the loss's curvature at a network, or their "
          "extremes at every point of a surface.")
      .positional("MODEL", model, "a checkpoint, or a training's folder: its network");
  add_curvature_options(options, curvature);
  loss.add_to(options);
  options.group("Curvature")
      .integer("largest", s.largest, {0, 1000},
               "how many of the largest eigenvalues, with eigenvectors")
      .integer("smallest", s.smallest, {0, 1000}, "how many of the smallest")
      .real("tolerance", s.tolerance, {1e-7, 1},
            "of their residuals |Hx - lambda x|, as a share of |lambda| (Gauss-Newton, --over: of "
            "the largest)")
      .integer(
          "basis", s.basis, {0, 10'000},
          "vectors that Lanczos' method keeps at a time (0: twice the eigenvalues and 20 more)")
      .integer("max-products,most-products", s.max_products, {1, 1'000'000},
               "products with the matrix at most, two per eigenvalue for its residual among them")
      .integer("trace", s.trace_products, {0, 1'000'000},
               "the trace, with its standard error, from that many products (0: none)")
      .integer("density", s.probes, {0, 100'000},
               "the spectral density, from that many random vectors (0: none)")
      .integer("density-steps", s.steps, {1, 10'000}, "products for each of them")
      .seed("seed", s.seed, "of random vectors");
  add_image_options(options, images);
  map.add_to(options);
  options.group("Output")
      .file("output,o", output, "the results' HDF5 file; what it lacks is computed")
      .flag("no-vectors", no_vectors, "without eigenvectors");
  run.add_to(options);
  cli::add_dry_run_option(options, dry_run);
  options.file("model-file", model, "the checkpoint, as the first argument")
      .text("model", expected_model, "NAME", "refuse the checkpoint unless it is this network");
}

void HessianFlags::check(const cli::Options& options) {
  model = required_model(model, "hessian MODEL");
  topograd::check(images);
  settings.keep_vectors = !no_vectors;
  if (map.over) {
    for (const char* option : {"largest", "smallest", "density", "density-steps", "no-vectors"})
      require(!options.given(option), "--", option,
              " has no place beside --over, which finds the two extreme eigenvalues of each point");
  } else {
    topograd::check(settings);
  }
}

}  // namespace topograd
