#include "apps/landscape/trajectory/trajectory_command.h"

#include <filesystem>

#include "apps/landscape/surface/surface_run.h"
#include "apps/landscape/trajectory/trajectory_report.h"
#include "landscape/plots/trajectory_plots.h"

namespace topograd {

namespace fs = std::filesystem;

int TrajectoryCommand::run_distributed(const std::string& typed, ProcessGroup& group) {
  TrajectorySettings settings;
  std::optional<SurfaceInputs> inputs;
  std::optional<TrajectoryComputation> trajectory;
  std::string stem;
  run_on_all_ranks(group, [&] {
    settings = flags_.settings();
    stem = (fs::path(settings.output).parent_path() / fs::path(settings.output).stem()).string();
    inputs.emplace(flags_.surface, settings.checkpoints.back(), stem + "_surface.h5", typed, group);
    trajectory.emplace(settings, inputs->settings, inputs->model, inputs->images, *inputs->pool);
  });
  run_on_all_ranks(group, [&] {
    if (!group.is_rank_zero()) return;
    if (flags_.surface.dry_run)
      trajectory->take_losses();
    else
      trajectory->begin();
  });
  const std::vector<std::string>& sets = inputs->images.names;
  SurfacePictures pictures =
      surface_pictures(flags_.surface, settings.output, trajectory->directions());
  pictures.options.marks = trajectory_marks(trajectory->results());
  const auto compute_losses = [&](Observer& observer, SurfacePictures& drawn) {
    trajectory->compute_losses(observer);
    const TrajectoryResults& results = trajectory->results();
    drawn.options.note = trajectory_note(results, sets.front());
    drawn.curves = trajectory_curves(results, sets.front());
    print_trajectory(results, sets);
  };
  const TrajectoryResults& results = trajectory->results();
  const int64_t losses_to_do =
      2 * results.count() - results.own.done_count() - results.projected.done_count();
  return run_surface(flags_.surface, *inputs, trajectory->directions(), pictures, group,
                     {.run = compute_losses, .points = losses_to_do});
}

}  // namespace topograd
