#include "apps/landscape/surface/surface_report.h"

#include "apps/common/cli.h"
#include "kernels/core/format.h"
#include "landscape/diagnosis/surface_notes.h"
#include "landscape/results/loss_text.h"
#include "landscape/surface/barrier.h"
#include "landscape/surface/refinement.h"

namespace topograd {

namespace {

/// Prints the barrier: how far the losses rise above the chord between the two networks.
void print_barriers(const Surface& surface, const std::vector<std::string>& sets) {
  for (const std::string& set : sets) {
    const std::optional<Barrier> barrier =
        barrier_between(surface.x(), surface.plane(set + "_loss"), 0, 1);
    if (!barrier) continue;
    cli::out() << set << " loss barrier " << loss_text(barrier->height, 6) << " at " << barrier->at
               << ", above " << loss_text(barrier->from, 6) << " and " << loss_text(barrier->to, 6)
               << " at the ends\n";
  }
}

void draw_all(const Surface& surface, const SurfacePictures& pictures,
              const PictureOptions& options) {
  for (const std::string& path : draw_pictures(surface, pictures.stem, options))
    cli::out() << path << '\n';
  if (!pictures.curves) return;
  const Figure losses = two_curves_figure(*pictures.curves, surface, options);
  for (const std::string& path : save_figures({{"losses", losses}}, pictures.stem))
    cli::out() << path << '\n';
}

}  // namespace

void print_surface(const SurfaceComputation& computation, const SurfaceInputs& inputs,
                   const SurfaceDirections& directions) {
  const Surface& surface = computation.surface();
  const auto [point, loss] = minimum(surface, computation.main_plane());
  cli::out() << inputs.settings.output << ": " << surface.points() << " points, "
             << inputs.images.names[0] << " loss ";
  if (point >= 0) {
    const PlanePosition at = grid_point(surface, point).position;
    cli::out() << loss_text(loss, 6) << " at the lowest, (" << at.alpha;
    if (!surface.is_line()) cli::out() << ", " << at.beta;
    cli::out() << ")";
  } else {
    cli::out() << "nowhere finite";
  }
  if (const double pace = computation.images_per_second(); pace > 0)
    cli::out() << "; " << decimals(pace, 0) << " images/s";
  if (const std::string check = value_of(surface.provenance, "precision_check"); !check.empty())
    cli::out() << "\n" << inputs.settings.arithmetic.name() << ", " << check;
  cli::out() << '\n';
  if (directions.joins_networks) print_barriers(surface, inputs.images.names);
  // Axes that lead from one network to another already show where they lie.
  for (const auto& [name, x, y] : directions.networks)
    cli::out() << name << " at (" << x << ", " << y << ")\n";
  for (const std::string& note :
       notes_on(surface, inputs.images.chance(inputs.model.graph.classes())))
    cli::out() << "note: " << note << '\n';
}

void draw(const Surface& surface, const SurfacePictures& pictures) {
  if (!pictures.wanted) return;
  if (can_be_drawn(surface))
    draw_all(surface, pictures, pictures.options);
  else
    cli::say("landscape: note: no pictures: they need two points along each axis");
}

void draw_unfinished(const Surface& surface, const SurfacePictures& pictures) {
  if (!pictures.wanted) return;
  const std::optional<Surface> level = finest_complete_level(surface);
  if (!level || !can_be_drawn(*level)) return;
  PictureOptions options = pictures.options;
  options.unfinished =
      text("unfinished: ", extent_of(*level), " of ", extent_of(surface), " points");
  draw_all(*level, pictures, options);
}

}  // namespace topograd
