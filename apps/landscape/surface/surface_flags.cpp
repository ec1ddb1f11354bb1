#include "apps/landscape/surface/surface_flags.h"

#include "apps/common/run_plan.h"
#include "apps/landscape/common/image_flags.h"

namespace topograd {

namespace {

/// Parses the value of --x or --y.
auto axis_into(std::optional<Axis>& axis) {
  return [&axis](const std::string& option, const std::string& word) {
    axis = parse_axis("--" + option, word);
  };
}

std::vector<std::pair<std::string, Arithmetic>> precision_choices() {
  return {{"f64", {DType::f64, Precision::f32}},
          {"f32", {DType::f32, Precision::f32}},
          {"tf32", {DType::f32, Precision::tf32}},
          {"bf16x3", {DType::f32, Precision::bf16x3}},
          {"bf16", {DType::f32, Precision::bf16}}};
}

}  // namespace

std::vector<std::pair<std::string, DirectionNorm>> norm_choices() {
  using enum DirectionNorm;
  std::vector<std::pair<std::string, DirectionNorm>> choices;
  for (const DirectionNorm norm : {filter, layer, weight, dfilter, dlayer, none})
    choices.emplace_back(name_of(norm), norm);
  return choices;
}

std::vector<std::pair<std::string, Ignore>> ignore_choices() {
  return {{"biasbn", Ignore::biasbn}, {"none", Ignore::none}};
}

void SurfaceFlags::add_points(cli::Options& options, const std::string& default_x, bool line) {
  options.group("Points").value("x", "FROM:TO:POINTS", "alpha", default_x, axis_into(settings.x));
  if (!line) options.value("y", "FROM:TO:POINTS", "beta", default_x, axis_into(settings.y));
}

void SurfaceFlags::add_rest(cli::Options& options, const std::string& output_help) {
  batchnorm.add_to(options);
  add_data(options);
  add_output(options, output_help);
  add_run(options);
}

void SurfaceFlags::add_data(cli::Options& options) {
  add_image_options(options, images);
  add_population_option(options, images);
  options
      .real("target-se", settings.target_se, {1e-12, 1e12},
            "evaluate each point on 2048, 4096, 8192, ... images, no more once the mean loss's "
            "standard error was at most this twice in a row (slightly biased, see docs/files.md)")
      .shown_default("");
  losses.add_to(options);
}

void SurfaceFlags::add_output(cli::Options& options, const std::string& output_help) {
  options.group("Output").file("output,o,surf-file", output, output_help);
  pictures.add_to(options);
}

void SurfaceFlags::add_run(cli::Options& options) {
  run.add_to(options, /*several_processes=*/true);
  options
      .choice(
          "precision", settings.arithmetic, precision_choices(),
          "of the products: f32; bf16x3, near it; tf32; or bf16, for previews. The latter three "
          "need a processor with AMX or a GPU. f64, by plain loops, is for a few points. All "
          "but f32 repeat a sample of points in f32")
      .real("save-seconds", settings.save_seconds, {0, 1e9}, "save unfinished points that often")
      .text("model", expected_model, "NAME", "refuse the checkpoint unless it is this network");
  cli::add_dry_run_option(options, dry_run);
  compatibility_.add_to(options);
}

void SurfaceFlags::add_model_file(cli::Options& options) {
  options.group("Run").file("model-file", model, "the checkpoint, as the first argument");
}

void SurfaceFlags::check(const cli::Options& options) {
  batchnorm.check();
  settings.batchnorm = batchnorm.batchnorm();
  settings.forced = run.forced_implementations();
  images.stops_early = settings.target_se > 0;
  images.shuffled = settings.batchnorm.at_points == PointBatchnorm::batch;
  topograd::check(images);
  topograd::check(settings, run.chosen_device());
  pictures.check();
  require(output != "", "--output is empty: it names an HDF5 file");
  require(!output || *output != dir_file, "--output and --dir-file both name ", dir_file,
          ": choose another name for one");
  notes = CompatibilityFlags::notes(options);
}

void refuse_more(const std::vector<std::string>& words, const std::string& why) {
  require(words.empty(), why, "; '", words.empty() ? "" : words[0], "' is one too many");
}

}  // namespace topograd
