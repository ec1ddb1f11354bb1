#include "apps/landscape/surface/surface_run.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/landscape/surface/surface_plan.h"
#include "apps/landscape/surface/surface_report.h"
#include "landscape/evaluation/model_data.h"

namespace topograd {

namespace fs = std::filesystem;

SurfaceInputs::SurfaceInputs(const SurfaceFlags& flags, const std::string& model_path,
                             const std::string& output, const std::string& typed,
                             const ProcessGroup& group)
    : settings(flags.settings),
      model(load_model(model_path, flags.expected_model.value_or(""))),
      pool(flags.run.pool(group.threads())),
      images(select_images(flags.images, model)) {
  settings.losses = flags.losses.of(model.info);
  settings.measures = flags.losses.measures;
  for (const LabelledImages& set : images.sets)
    for (const Loss& loss : settings.quantities(images, {}).evaluated())
      require_fitting_targets(loss, set.labels, images.description + " images");
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
  const auto observer = cli::observer("landscape");
  if (const std::string note = clean_labels_note(flags.images, inputs.model); !note.empty())
    observer->note("note: " + note);
  SurfaceComputation computation(inputs.settings, inputs.model, inputs.images, directions,
                                 *inputs.pool, *observer, group);
  run_on_all_ranks(group, [&] {
    const auto plans = [&](cli::Measurement measurement) {
      return std::vector{surface_plan(inputs, directions, computation.points_to_do(), before.points,
                                      group.size(), measurement)};
    };
    if (group.is_rank_zero())
      cli::goes_on(flags.dry_run, plans, *inputs.pool, *observer, group.size());
  });
  if (flags.dry_run) return 0;
  const int status = cli::run_interruptible("landscape", [&] {
    computation.begin();
    for (const std::string& note : flags.notes) observer->note(note);
    if (before.run)
      run_on_all_ranks(group, [&] {
        if (group.is_rank_zero()) before.run(*observer, pictures);
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
