#include "apps/landscape/hessian/hessian_map.h"

#include <filesystem>

#include "apps/common/console.h"
#include "apps/landscape/hessian/hessian_plan.h"
#include "landscape/curvature/curvature_map.h"
#include "landscape/planes/recorded_directions.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

CurvatureMapSettings map_settings(const CurvatureSettings& s) {
  return {.tolerance = s.tolerance,
          .basis = s.basis,
          .max_products = s.max_products,
          .trace_products = s.trace_products,
          .seed = s.seed};
}

void draw_all(const Surface& map, const std::string& output, const std::string& over) {
  const auto draw = [&](const char* plane, const char* label, const char* suffix) {
    draw_map(map, output, plane, label, suffix, over);
  };
  draw("lambda_ratio", "|smallest / largest eigenvalue|", "ratio");
  draw("lambda_max", "largest eigenvalue", "max");
  draw("lambda_min", "smallest eigenvalue", "min");
  draw("gradient_norm", "norm of the gradient", "gradient");
  if (map.has_plane("trace")) draw("trace", "trace", "trace");
}

}  // namespace

int map_curvature(const HessianFlags& flags, const LoadedModel& model, const ImageSets& images,
                  const Provenance& run, ThreadPool& pool, Observer& observer) {
  const CurvatureMapSettings settings = map_settings(flags.settings);
  check(settings);
  require(images.sets.size() == 1, "--split both: curvature is of one set; choose train or test");
  const std::string& over = *flags.map.over;
  const std::string output = flags.output.value_or(result_beside(over, "hessian"));
  const Surface source = Surface::load(over);
  Provenance choices;
  images.describe(choices);
  flags.curvature.describe(choices);
  settings.describe(choices);
  SurfaceMap map({.over = over,
                  .output = output,
                  .save_seconds = flags.map.save_seconds,
                  .quantity = "curvature",
                  .planes = settings.planes(),
                  .choices = choices,
                  .run = run},
                 source,
                 directions_of_surface(source, over, model, flags.map.dir_file.value_or("")), model,
                 observer);
  const auto plans = [&](cli::Measurement measurement) {
    return std::vector{curvature_map_plan(flags, model, images, source.points(), map.points_to_do(),
                                          output, pool, measurement)};
  };
  if (!cli::goes_on(flags.dry_run, plans, pool, observer)) return 0;
  CurvatureAtPoints points(settings, curvature_spec(flags.curvature, model, images.sets[0]), pool,
                           observer);
  map.compute([&](const SurfaceMap::Point& point) { return points.measure(point); });
  if (points.unconverged() > 0)
    observer.note(text("note: at ", points.unconverged(),
                       " points residuals stayed above --tolerance ", settings.tolerance,
                       " of the largest eigenvalue (the plane lambda_residual says by how much); "
                       "--max-products or --basis would help, down to rounding in f32"));
  const Provenance& p = map.surface().provenance;
  cli::out() << output << ": " << map.surface().points() << " points, " << p.at("curvature")
             << " of the " << images.names[0] << " loss over " << images.sets[0].count()
             << " images, " << p.at("parameters") << " parameters of " << p.at("model_name")
             << '\n';
  print_ranges(map.surface());
  if (!flags.map.no_pictures && can_draw_map(map.surface()))
    draw_all(map.surface(), output,
             text(p.at("curvature"), " over ", images.sets[0].count(), " images, ",
                  images.description, ", BatchNorm ", p.at("bn_mode")));
  return 0;
}

}  // namespace topograd
