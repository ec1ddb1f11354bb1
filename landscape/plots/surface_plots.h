// The pictures of a computed surface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/figure.h"
#include "landscape/plots/named_figure.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Kind of a picture. Grids have contours, lines (contours without fill), heat, surface and slices
/// (curves along both axes through the centre); lines have curves.
enum class PictureKind { contours, lines, heat, surface, slices, curves };
/// Returns the kind of this name. Throws Error, which lists them, for any other.
PictureKind picture_kind_named(const std::string& name);
std::string name_of(PictureKind kind);
/// Returns the kinds that a grid is drawn as where none were chosen.
const std::vector<PictureKind>& default_kinds();

struct PictureOptions {
  FigureOptions look = {};  ///< size, colours, camera; titles, labels, marks come from the surface
  std::string values = {};  ///< the plane; default: train_loss, or test_loss, or the first there is
  std::optional<Scale> scale = {};  ///< default: usual_scale() of the values, percents linear
  std::optional<double> value_min, value_max;
  std::string title;
  std::string unfinished = {};  ///< appended to the subtitle: "5x5 of 51x51 points so far"
  std::string note = {};        ///< a line under the subtitle
  FigureMarks marks = {};
};

/// Two curves of a loss over one axis.
struct TwoCurves {
  std::vector<double> x, first, second;
  std::vector<double> first_errors, second_errors;  ///< standard errors, or empty
  std::string x_label, first_name, second_name;
};
/// Draws both curves, with the surface's title and provenance.
Figure two_curves_figure(const TwoCurves& curves, const Surface& surface,
                         const PictureOptions& options);

/// Returns the name of the plane that a picture shows.
std::string pictured_values(const Surface& surface, const PictureOptions& options);

/// Returns log where the values are above 0 and the largest is more than four times the smallest:
/// even levels would leave the basin empty.
Scale usual_scale(const std::vector<double>& values);

/// Returns the values of a plane as they are drawn: accuracies are NaN where the loss is not finite.
std::vector<double> drawn_plane(const Surface& surface, const std::string& plane);
/// Returns 1 for each point that is not done; empty if all are.
std::vector<uint8_t> to_do_mask(const Surface& surface);

/// Returns the titles, labels, scale and colours of figures of the plane that `options` name.
FigureOptions figure_options(const Surface& surface, const PictureOptions& options);

/// Returns "51x51", or "51" for a line.
std::string extent_of(const Surface& surface);

/// Returns whether the surface's axes have at least two points each, which every picture needs.
bool can_be_drawn(const Surface& surface);

/// Draws a computed surface. Throws Error where the kind does not fit it, or an axis has a single
/// point.
Figure surface_picture(const Surface& surface, PictureKind kind, const PictureOptions& options);

/// Draws <stem>_contours, _heat and _surface (a grid) or <stem>_curves (a line), as .svg and .png.
/// Returns their paths.
std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options);

}  // namespace topograd
