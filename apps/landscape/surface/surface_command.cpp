#include "apps/landscape/surface/surface_command.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/surface/surface_run.h"
#include "landscape/results/result_names.h"

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
    directions =
        random_directions(what.directions, inputs->model, group.is_rank_zero() && !flags.dry_run);
  });
  SurfacePictures pictures = surface_pictures(flags, what.output, directions);
  pictures.wanted = pictures.wanted && what.pictures;
  return run_surface(flags, *inputs, directions, pictures, group);
}

}  // namespace

void SurfaceCommand::add_options(cli::Options& options) {
  options
      .about(
          "Losses on a plane through a network; with --film, on the same plane through every "
          "checkpoint of a training, for landscape animate.")
      .usage("MODEL")
      .positional("MODEL", flags_.model, "a checkpoint, or a training's folder: its network")
      .positionals("", more_words_);
  flags_.add_points(options, "-1:1:51");
  directions_.add_to(options, /*line=*/false);
  options.group("A training's checkpoints")
      .flag("film", film_,
            "MODEL is a training's folder: a surface around each of its checkpoints; so do these");
  add_checkpoint_options(options, checkpoints_);
  flags_.add_rest(
      options,
      "the surface's HDF5 file, with --film the folder of surfaces; what is unfinished is "
      "continued (default: MODEL_surface.h5 beside the model)");
  flags_.add_model_file(options);
}

void SurfaceCommand::check(const cli::Options& options) {
  refuse_more(
      more_words_,
      "one model at a time (then landscape plot draws several surfaces, landscape line leads "
      "from one to another)");
  for (const char* option : kCheckpointOptions) film_ = film_ || options.given(option);
  if (film_)
    require(fs::is_directory(flags_.model), "--film is of a training's folder, and ",
            flags_.model.empty() ? "none is named" : flags_.model + " is none");
  else
    flags_.model = required_model(flags_.model, "surface MODEL");
  if (film_ && flags_.output) cli::require_folder_name(*flags_.output);
  flags_.dir_file = directions_.settings.file;
  flags_.check(options);
  if (const std::string note = directions_.note(flags_); !note.empty())
    flags_.notes.push_back(note);
}

int SurfaceCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  if (film_) return run_around_checkpoints(typed, group);
  return run_random(flags_,
                    {.model = flags_.model,
                     .output = flags_.output.value_or(result_beside(flags_.model, "surface")),
                     .directions = directions_.directions(flags_)},
                    typed, group);
}

int SurfaceCommand::run_around_checkpoints(const std::string& typed, ProcessGroup& group) {
  CheckpointList list;
  std::string folder;
  run_on_all_ranks(group, [&] {
    list = checkpoints_in(flags_.model, checkpoints_, 2, "a film of surfaces needs two");
    folder = flags_.output.value_or((fs::path(flags_.model) / "surfaces").string());
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
      .usage("MODEL [OTHER]")
      .positional("MODEL", flags_.model, "a checkpoint, or a training's folder: its network")
      .positional("OTHER", directions_.to, "likewise")
      .positionals("", more_words_);
  flags_.add_points(options, "-1:1:51", /*line=*/true);
  directions_.add_to(options, /*line=*/true);
  flags_.add_rest(options,
                  "the line's HDF5 file; what is unfinished is continued (default: MODEL_line.h5 "
                  "beside the model)");
  flags_.add_model_file(options);
}

void LineCommand::check(const cli::Options& options) {
  refuse_more(more_words_, "too many arguments");
  flags_.model = required_model(flags_.model, "line MODEL");
  if (!directions_.to.empty()) directions_.to = required_model(directions_.to, "line MODEL OTHER");
  flags_.dir_file = directions_.settings.file;
  flags_.check(options);
  if (const std::string note = directions_.note(flags_); !note.empty())
    flags_.notes.push_back(note);
}

int LineCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  return run_random(flags_,
                    {.model = flags_.model,
                     .output = flags_.output.value_or(result_beside(flags_.model, "line")),
                     .directions = directions_.directions(flags_)},
                    typed, group);
}

}  // namespace topograd
