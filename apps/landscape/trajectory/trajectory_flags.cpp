#include "apps/landscape/trajectory/trajectory_flags.h"

#include "apps/landscape/common/checkpoint_flags.h"
#include "landscape/results/resumable_file.h"

namespace topograd {

void TrajectoryFlags::add_to(cli::Options& options) {
  options
      .about(
          "The path of a training in the plane of its principal components, and the losses there.")
      .usage("RUN | FIRST.safetensors SECOND.safetensors ... LAST.safetensors")
      .positionals("RUN", runs);
  surface.add_points(options, "31 points that cover the path with a margin");
  add_checkpoint_options(options.group("Directions"), checkpoints);
  options
      .choice("ignore", ignore, ignore_choices(),
              "none: principal components of all parameters; biasbn: without biases and BatchNorm")
      .file("dir-file", dir_file,
            "project onto the plane of this file; where it is not, the principal components are "
            "written there (default: beside the output)")
      .repeated("runs", runs, "RUN", "the checkpoints, or their folder, as the arguments");
  surface.add_rest(options,
                   "the trajectory's HDF5 file; the surface, directions and pictures are named "
                   "after it. What is unfinished is continued");
}

void TrajectoryFlags::check(const cli::Options& options) {
  require(!runs.empty(),
          "no run given; write landscape trajectory RUN, the folder of train --output, or three "
          "checkpoint files or more");
  if (runs.size() > 1)
    for (const char* option : kCheckpointOptions)
      require(!options.given(option), "--", option,
              " chooses files of a run's folder; here they are listed one by one");
  surface.dir_file = dir_file;
  surface.check(options);
}

TrajectorySettings TrajectoryFlags::settings() const {
  const CheckpointList list = checkpoints_of_run(runs, checkpoints);
  TrajectorySettings s{.checkpoints = list.paths,
                       .output = surface.output.value_or(list.name + "_trajectory.h5"),
                       .dir_file = dir_file,
                       .ignore = ignore,
                       .type = surface.batchnorm.directions(false)};
  is_there(s.output);  // throws Error if it is a folder
  return s;
}

}  // namespace topograd
