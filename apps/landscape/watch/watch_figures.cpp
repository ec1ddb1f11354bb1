#include "apps/landscape/watch/watch_figures.h"

#include "kernels/core/check.h"
#include "landscape/figures/canvas/svg_canvas.h"
#include "landscape/plots/result_plots.h"
#include "landscape/surface/refinement.h"

namespace topograd {

std::vector<PictureKind> watch_kinds(const Surface& surface) {
  if (!can_be_drawn(surface)) return {};
  if (surface.is_line()) return {PictureKind::curves};
  return {PictureKind::heat, PictureKind::contours, PictureKind::surface, PictureKind::lines};
}

Figure watch_figure(const Surface& surface, const std::string& file, PictureKind kind,
                    const PictureOptions& options) {
  const bool by_points = kind == PictureKind::heat || kind == PictureKind::curves;
  std::optional<Surface> level;
  if (!by_points && surface.done_count() < surface.points()) level = finest_complete_level(surface);
  if (!level || !can_be_drawn(*level))
    return surface_figures(surface, file, {kind}, options).front().figure;
  PictureOptions coarse = options;
  coarse.unfinished =
      text("unfinished: ", extent_of(*level), " of ", extent_of(surface), " points");
  return surface_figures(*level, file, {kind}, coarse).front().figure;
}

std::string svg_of(const Figure& figure) {
  return drawing::svg_text(figure.width, figure.height, figure.title, figure.draw);
}

}  // namespace topograd
