#include "apps/landscape/common/image_flags.h"

namespace topograd {

void add_image_options(cli::Options& options, ImageSelection& selection) {
  options.group("Data")
      .folder("data,datapath", selection.source,
              "synthetic, or a folder, see train --help (or --datapath)")
      .choice("split", selection.split,
              {{"train", Split::train}, {"test", Split::test}, {"both", Split::both}},
              "train, test or both")
      .flag("noisy-labels", selection.noisy_labels,
            "training images with the noisy labels that the checkpoint was trained with (train "
            "--label-noise); else all with their own")
      .integer("images", selection.count, {0, 1 << 30}, "use only n images of each split (0: all)")
      .choice("subset", selection.stratified, {{"first", false}, {"stratified", true}},
              "which n: first, or stratified: a random choice with each class's share as in the "
              "whole split (default: first, with --target-se stratified)")
      .seed("subset-seed", selection.subset_seed, "of that choice (default: 1)")
      .integer("data-split", selection.parts, {1, 1 << 30},
               "use one of n random parts of the images (default: 1)")
      .integer("split-idx", selection.part, {0, 1 << 30}, "which part");
}

/// What the flags of a command that still reads them one by one ask for.
ImageSelection image_selection(const cxxopts::ParseResult& flags, bool shuffled) {
  ImageSelection s;
  s.source = cli::text_of(flags, "data", "synthetic");
  const std::string split = flags["split"].as<std::string>();
  require(split == "train" || split == "test" || split == "both", "--split ", split,
          ": choose train, test or both");
  s.split = split == "train" ? Split::train : split == "test" ? Split::test : Split::both;
  s.noisy_labels = flags.count("noisy-labels") > 0;
  s.count = cli::whole(flags, "images", 0, 1 << 30);
  if (flags.count("subset")) {
    const std::string subset = flags["subset"].as<std::string>();
    require(subset == "first" || subset == "stratified", "--subset ", subset,
            ": choose first or stratified");
    s.stratified = subset == "stratified";
  }
  if (flags.count("subset-seed")) s.subset_seed = cli::seed(flags, "subset-seed");
  if (flags.count("data-split")) s.parts = cli::whole(flags, "data-split", 1, 1 << 30);
  s.part = cli::whole(flags, "split-idx", 0, 1 << 30);
  s.stops_early = flags.count("target-se") > 0;
  s.shuffled = shuffled;
  return s;
}

// A line per flag, which clang-format would run together.
// clang-format off
void add_image_flags(cxxopts::Options& options, const char* split) {
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Data")
      ("data,datapath", "synthetic, or a folder, see train --help (or --datapath)", string())
      ("split", "train, test or both", value(split))
      ("noisy-labels", "training images with the noisy labels that the checkpoint was trained with "
                       "(train --label-noise); else all with their own")
      ("images", "use only n images of each split (0: all)", value("0"))
      ("subset", "which n: first, or stratified: a random choice with each class's share as in the "
                 "whole split (default: first, with --target-se stratified)", string())
      ("subset-seed", "of that choice", value("1"))
      ("data-split", "use one of n random parts of the images", value("1"))
      ("split-idx", "which part", value("0"));
}
// clang-format on

SurfaceImages surface_images(const cxxopts::ParseResult& flags, const LoadedModel& model,
                             bool shuffled) {
  return select_images(image_selection(flags, shuffled), model);
}

void note_clean_labels(const cxxopts::ParseResult& flags, const SurfaceImages& images,
                       const LoadedModel& model) {
  if (images.names[0] == "train" && flags.count("noisy-labels") == 0)
    note_clean_labels(model, "landscape");
}

}  // namespace topograd
