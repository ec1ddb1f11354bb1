#include "apps/landscape/surface/surface_command.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/surface/surface_run.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Surface of random directions, or towards other networks.
struct RandomSurface {
  std::string model, output;
  RandomDirections directions;
  bool pictures = true;
};

int run_random(const SurfaceFlags& flags, const RandomSurface& what, const std::string& typed,
               ProcessGroup& group) {
  std::optional<SurfaceInputs> inputs;
  SurfaceDirections directions;
  run_on_all_ranks(group, [&] {
    inputs.emplace(flags, what.model, what.output, typed, group);
    directions = random_directions(what.directions, inputs->model, group.is_rank_zero());
  });
  SurfacePictures pictures = surface_pictures(flags, what.output, directions);
  pictures.wanted = pictures.wanted && what.pictures;
  return run_surface(flags, *inputs, directions, pictures, group);
}

}  // namespace

void SurfaceCommand::add_options(cli::Options& options) {
  options
      .about(
          "Losses on a plane through a network; of a training's folder, on the same plane through "
          "every checkpoint, for landscape animate.")
      .usage("MODEL.safetensors | RUN")
      .positional("MODEL.safetensors", flags_.model)
      .positionals("", more_words_);
  flags_.add_points(options, "-1:1:51");
  directions_.add_to(options, /*line=*/false);
  add_checkpoint_options(options.group("A training's checkpoints"), checkpoints_);
  flags_.add_rest(options,
                  "the surface's HDF5 file, of a training's folder of surfaces; what is unfinished "
                  "is continued (or --surf-file)");
  flags_.add_model_file(options);
}

void SurfaceCommand::check(const cli::Options& options) {
  refuse_more(more_words_, "one model at a time");
  required_model(flags_.model, "surface MODEL.safetensors");
  flags_.dir_file = directions_.settings.file;
  flags_.check(options);
}

int SurfaceCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  if (fs::is_directory(flags_.model)) return run_around_checkpoints(typed, group);
  return run_random(
      flags_,
      {.model = flags_.model,
       .output = flags_.output.value_or(fs::path(flags_.model).stem().string() + "_surface.h5"),
       .directions = directions_.directions(flags_)},
      typed, group);
}

int SurfaceCommand::run_around_checkpoints(const std::string& typed, ProcessGroup& group) {
  CheckpointList list;
  std::string folder;
  run_on_all_ranks(group, [&] {
    list = checkpoints_in(flags_.model, checkpoints_, 2, "a film of surfaces needs two");
    folder = flags_.output.value_or(list.name + "_surfaces");
    cli::make_folder(folder);
  });
  RandomDirections directions = directions_.directions(flags_);
  directions.drawn_at = list.paths.back();
  for (const std::string& path : list.paths) {
    const int status =
        run_random(flags_,
                   {.model = path,
                    .output = (fs::path(folder) / fs::path(path).stem()).string() + ".h5",
                    .directions = directions,
                    .pictures = false},
                   typed, group);
    if (status != 0) return status;
  }
  return 0;
}

void LineCommand::add_options(cli::Options& options) {
  options
      .about(
          "Losses along a line through a network, or on the way to another one, with the barrier "
          "between them.")
      .usage("MODEL.safetensors [OTHER.safetensors]")
      .positional("MODEL.safetensors", flags_.model)
      .positional("OTHER.safetensors", directions_.to)
      .positionals("", more_words_);
  flags_.add_points(options, "-1:1:51", /*line=*/true);
  directions_.add_to(options, /*line=*/true);
  flags_.add_rest(options,
                  "the line's HDF5 file; what is unfinished is continued (or --surf-file)");
  flags_.add_model_file(options);
}

void LineCommand::check(const cli::Options& options) {
  refuse_more(more_words_, "too many arguments");
  required_model(flags_.model, "line MODEL.safetensors");
  flags_.dir_file = directions_.settings.file;
  flags_.check(options);
}

int LineCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  return run_random(
      flags_,
      {.model = flags_.model,
       .output = flags_.output.value_or(fs::path(flags_.model).stem().string() + "_line.h5"),
       .directions = directions_.directions(flags_)},
      typed, group);
}

}  // namespace topograd
