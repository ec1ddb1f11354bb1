#include "apps/landscape/surface/direction_flags.h"

#include <filesystem>

namespace topograd {

void DirectionFlags::add_to(cli::Options& options, bool line) {
  options.group("Directions")
      .choice("norm", settings.x.norm, norm_choices(),
              "filter, layer, weight, dfilter, dlayer or none")
      .choice("ignore", settings.x.ignore, ignore_choices(),
              "biasbn: biases and BatchNorm stay put; none: they are scaled")
      .seed("seed", settings.seed, "of the random directions")
      .integer("seeds", settings.seeds, {1, 1000},
               "directions of that many seeds in one run, --seed and those that follow it: their "
               "mean, their spread and each for itself")
      .integer("idx", settings.pair, {0, 1 << 30}, "another pair of directions of the same seed")
      .file("dir-file", settings.file,
            "read the directions from this file; write them there if it is not")
      .file("to,model-file2", to,
            line ? "the line leads to this model, default x -0.5:1.5:41 (or --model-file2, or the "
                   "second argument)"
                 : "direction x leads to this model (or --model-file2)")
      .choice("xnorm", x_norm, norm_choices(), "--norm of direction x alone")
      .choice("xignore", x_ignore, ignore_choices(), "--ignore of direction x alone");
  if (line)
    settings.y.reset();
  else
    add_y_to(options);
}

void DirectionFlags::add_y_to(cli::Options& options) {
  options.file("model-file3", third, "direction y leads to this model")
      .choice("ynorm", y_norm, norm_choices(), "--norm of direction y alone")
      .choice("yignore", y_ignore, ignore_choices(), "--ignore of direction y alone")
      .flag("same-dir", settings.same, "y is the same direction as x");
}

RandomDirections DirectionFlags::directions(const SurfaceFlags& surface) const {
  RandomDirections s = settings;
  s.type = surface.batchnorm.directions(leads_to_networks());
  const DirectionNorm norm = s.x.norm;
  const Ignore ignore = s.x.ignore;
  s.x = {x_norm.value_or(norm), x_ignore.value_or(ignore), to};
  if (s.y) s.y = {y_norm.value_or(norm), y_ignore.value_or(ignore), third};
  return s;
}

std::string DirectionFlags::note(const SurfaceFlags& surface) const {
  const RandomDirections made = directions(surface);
  if (!made.file.empty() && std::filesystem::exists(made.file)) return "";  // which decides
  const bool stays =
      made.x.ignore == Ignore::biasbn && (!made.y || made.y->ignore == Ignore::biasbn);
  if (made.type != DirectionType::states || leads_to_networks() || !stays) return "";
  return "note: BatchNorm's statistics stay where they are: --ignore biasbn, the default, keeps "
         "them "
         "out of random directions; --ignore none moves them";
}

}  // namespace topograd
