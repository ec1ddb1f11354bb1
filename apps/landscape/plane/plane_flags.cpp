#include "apps/landscape/plane/plane_flags.h"

#include "apps/common/model_file.h"
namespace topograd {

namespace {

/// Throws Error for options that have no effect on such a plane.
void require_none(const cli::Options& options, const std::string& plane,
                  const std::vector<std::string>& others) {
  for (const std::string& option : others)
    require(!options.given(option), "--", option, " decides nothing on a plane ", plane,
            ": leave it out");
}

}  // namespace

void PlaneFlags::add_to(cli::Options& options) {
  options
      .about(
          "Losses on a plane through three networks, or one that eigenvectors, the gradient or a "
          "file span.")
      .usage("A B C | MODEL")
      .positional("A", surface.model, "a checkpoint, or a training's folder: its network")
      .positional("B", networks.second, "likewise")
      .positional("C", networks.third, "likewise")
      .positionals("", more_words_);
  surface.add_points(options, "through models -0.5:1.5:41, else what the directions ask for");
  options.group("Directions")
      .file("to,model-file2", networks.second,
            "the plane goes through this model and the next (or as the second and third argument)")
      .file("model-file3", networks.third, "the third model")
      .flag("orthonormal", networks.orthonormal,
            "through models: axes of length 1 at right angles (Gram-Schmidt), not the ways from "
            "model to model")
      .file("eigenvectors", eigenvectors.file,
            "the plane of two eigenvectors in this file of landscape hessian")
      .value("vectors", "NAME,NAME",
             "which two: largest:2 is that of the second largest eigenvalue",
             "largest:1,smallest:1",
             [this](const std::string&, const std::string& word) {
               const std::vector<std::string> names = cli::Options::split(word);
               require(names.size() == 2, "--vectors names ", names.size(),
                       " eigenvectors; a plane needs two, as in largest:1,smallest:1");
               eigenvectors.x = eigenvector_named(names[0]);
               eigenvectors.y = eigenvector_named(names[1]);
             })
      .flag("gradient", along_gradient,
            "the plane of the gradient, downhill, and a random direction")
      .file("dir-file", dir_file, "the plane of the directions in this file")
      .choice("norm", norm, norm_choices(),
              "of eigenvectors (default none: of length 1) and of the random direction (default "
              "filter): filter, layer, weight, dfilter, dlayer or none")
      .choice("ignore", ignore, ignore_choices(),
              "biasbn: in these, biases and BatchNorm stay put; none (default: biasbn for the "
              "random direction)")
      .seed("seed", seed, "of the random direction");
  surface.add_rest(options,
                   "the surface's HDF5 file; what is unfinished is continued (or --surf-file)");
  surface.add_model_file(options);
}

void PlaneFlags::check_source(const cli::Options& options) const {
  require(!surface.model.empty(),
          "no model given; write landscape plane A.safetensors B.safetensors C.safetensors, or one "
          "model with --eigenvectors, --gradient or --dir-file");
  const bool models = !networks.second.empty(), file = !dir_file.empty();
  const bool vectors = !eigenvectors.file.empty();
  const int sources = models + vectors + along_gradient + file;
  require(sources == 1, sources == 0 ? "nothing spans a plane" : "too much spans the plane",
          ": choose two more models, --eigenvectors, --gradient or --dir-file");
  require(!models || !networks.third.empty(),
          "two models make a line, not a plane: write landscape line, or give a third model");
  if (models) require_none(options, "through models", {"norm", "ignore", "seed", "vectors"});
  if (vectors) require_none(options, "along eigenvectors", {"seed", "orthonormal"});
  if (along_gradient) require_none(options, "along the gradient", {"vectors", "orthonormal"});
  if (file)
    require_none(options, "of a file", {"norm", "ignore", "seed", "vectors", "orthonormal"});
  require(
      !(vectors || along_gradient) || surface.batchnorm.directions(false) == DirectionType::weights,
      "neither eigenvectors nor the gradient move BatchNorm's statistics: leave out --dir-type "
      "states or --bn states");
}

void PlaneFlags::check(const cli::Options& options) {
  refuse_more(more_words_, "too many arguments");
  check_source(options);
  for (std::string* word : {&surface.model, &networks.second, &networks.third})
    if (!word->empty()) *word = required_model(*word, "plane A B C");
  surface.dir_file = dir_file;
  surface.check(options);
  networks.type = surface.batchnorm.directions(true);
  eigenvectors.norm = norm.value_or(DirectionNorm::none);
  eigenvectors.ignore = ignore.value_or(Ignore::none);
}

GradientPlane PlaneFlags::gradient(const Loss& loss) const {
  const SurfaceBatchnorm& batchnorm = surface.settings.batchnorm;
  return {.seed = seed,
          .norm = norm.value_or(DirectionNorm::filter),
          .ignore = ignore.value_or(Ignore::biasbn),
          .images = surface.images,
          .loss = loss,
          .batch = batchnorm.at_points == PointBatchnorm::batch ? batchnorm.batch : 0,
          .forced = surface.settings.forced};
}

}  // namespace topograd
