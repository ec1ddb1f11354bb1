#include "apps/landscape/surface/surface_run.h"

#include <unistd.h>

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/landscape/surface/surface_plan.h"
#include "apps/landscape/surface/surface_report.h"

namespace topograd {

namespace fs = std::filesystem;

namespace {

constexpr double kLongSeconds = 60;

/// Says what will be computed, if that takes long, to who sits at a terminal.
void announce(const Surface& surface, const SurfaceInputs& inputs,
              const SurfaceDirections& directions, const ProcessGroup& group, Observer& observer) {
  // The emulator's pace says nothing of a GPU's, and takes its time.
  if (inputs.pool->device() == Device::simt || ::isatty(STDERR_FILENO) == 0) return;
  const int64_t done = surface.done_count();
  if (done == surface.points()) return;
  const SurfacePlan plan = plan_of(inputs, directions, group.size(), done, /*thoroughly=*/false);
  if (plan.seconds > kLongSeconds) observer.note(plan.words);
}

}  // namespace

SurfaceInputs::SurfaceInputs(const SurfaceFlags& flags, const std::string& model_path,
                             const std::string& output, const std::string& typed,
                             const ProcessGroup& group)
    : settings(flags.settings),
      model(load_model(model_path, flags.expected_model.value_or(""))),
      pool(flags.run.pool(group.threads())),
      images(select_images(flags.images, model)) {
  settings.output = output;
  settings.command = typed;
}

SurfacePictures surface_pictures(const SurfaceFlags& flags, const std::string& output,
                                 const SurfaceDirections& directions) {
  const fs::path path = output;
  SurfacePictures pictures{.wanted = !flags.pictures.none,
                           .stem = (path.parent_path() / path.stem()).string(),
                           .options = flags.pictures.options(),
                           .curves = {}};
  FigureMarks& marks = pictures.options.marks;
  for (const auto& [name, x, y] : directions.networks) marks.networks.push_back({{x, y}, name});
  if (!marks.networks.empty()) marks.origin = marks.networks.front().label;
  return pictures;
}

int run_surface(const SurfaceFlags& flags, const SurfaceInputs& inputs,
                const SurfaceDirections& directions, SurfacePictures pictures, ProcessGroup& group,
                const BeforeSurface& before) {
  cli::TerminalObserver observer("landscape");
  if (flags.dry_run) {
    if (group.is_rank_zero())
      observer.note(plan_of(inputs, directions, group.size(),
                            points_in_file(inputs.settings.output), /*thoroughly=*/true)
                        .words);
    return 0;
  }
  if (const std::string note = clean_labels_note(flags.images, inputs.model); !note.empty())
    observer.note("note: " + note);
  SurfaceComputation computation(inputs.settings, inputs.model, inputs.images, directions,
                                 *inputs.pool, observer, group);
  const int status = cli::run_interruptible("landscape", [&] {
    computation.begin();
    for (const std::string& note : flags.notes) observer.note(note);
    if (group.is_rank_zero()) announce(computation.surface(), inputs, directions, group, observer);
    if (before)
      run_on_all_ranks(group, [&] {
        if (group.is_rank_zero()) before(observer, pictures);
      });
    computation.run();
    return 0;
  });
  if (!group.is_rank_zero()) return 0;
  if (status != 0) {
    draw_unfinished(computation.surface(), pictures);
    return status;
  }
  print_surface(computation, inputs, directions);
  draw(computation.surface(), pictures);
  return 0;
}

}  // namespace topograd
