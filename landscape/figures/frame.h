// What the figures share: layout, axes, colour bar, marks, caption and footer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/scale.h"

namespace topograd::drawing {

inline constexpr Colour kInk{0.13, 0.13, 0.15};
inline constexpr Colour kSoftInk{0.42, 0.42, 0.45};
inline constexpr double kTickSize = 11;
/// Ratio of ranges up to which both axes of a field have equal units.
inline constexpr double kMaxUneven = 3;

/// Map from coordinates to the plot's rectangle on the page; y grows upwards.
struct Frame {
  Rect plot;
  double x_low = 0;
  double x_high = 1;
  double y_low = 0;
  double y_high = 1;

  Point at(double x, double y) const;
  Point at(PlanePoint p) const { return at(p.x, p.y); }
  std::vector<Polyline> at(const std::vector<Polyline>& lines) const;
};

/// Layout of a field's plot and of the colour bar beside it.
struct FieldLayout {
  FigureOptions page;  ///< the figure's options with the actual height
  Frame frame;
  Rect bar;
};
/// Returns the layout: plot and bar together are centred on the page. Both axes have equal units
/// unless one range is more than kMaxUneven times the other; a wide field makes a lower page.
FieldLayout field_layout(const FigureOptions& options, double x_low, double x_high, double y_low,
                         double y_high);

/// Draws title and subtitle above, footer below.
void draw_heading(Canvas& canvas, const FigureOptions& options);
/// Return the plot's top, below the heading, and its bottom, above the x axis, in px.
double plot_top(const FigureOptions& options);
double plot_bottom(const FigureOptions& options);

/// Positions on an axis: `major` ones carry labels.
struct Ticks {
  std::vector<double> major;
  std::vector<std::string> labels;
  std::vector<double> minor;
};
Ticks linear_ticks(double low, double high, int target);

/// Draws an axis below the plot with about one tick every 50 px, fewer where labels would touch.
void draw_x_axis(Canvas& canvas, const Frame& frame, const std::string& label);
/// Draws an axis on the left or the right of the plot, in one colour, its label rotated along it.
void draw_y_axis(Canvas& canvas, const Frame& frame, const Ticks& ticks, const std::string& label,
                 bool left, const Colour& colour);
void draw_box(Canvas& canvas, const Frame& frame);
/// Draws both axes and the box of a field's plot.
void draw_field_axes(Canvas& canvas, const Frame& frame, const FigureOptions& options);

/// Draws a vertical bar whose colour at height t in [0, 1] is paint(t), with the scale's levels as
/// ticks, and a swatch on top for values off the scale.
void draw_colour_bar(Canvas& canvas, const Rect& bar, const ValueScale& scale,
                     const std::vector<double>& ticks, const std::string& label,
                     const std::function<Colour(double)>& paint, const Colour& off_scale);

/// Symbol with words, for the caption under the plot.
struct Key {
  std::function<void(Canvas&, Point)> draw;
  std::string words;
};
void draw_caption(Canvas& canvas, const FigureOptions& options, double centre,
                  const std::vector<Key>& keys);

/// Returns a dot, as a polygon.
Polyline disc(Point centre, double radius);
void draw_star(Canvas& canvas, Point centre);
void draw_diamond(Canvas& canvas, Point centre);
/// Draws grey, hatched ground where the field has no finite values.
void draw_hole(Canvas& canvas, const std::vector<Polyline>& loops);

/// Draws FigureMarks, star and diamond over a field; returns their keys and those of holes and of
/// values off the scale.
std::vector<Key> draw_marks(Canvas& canvas, const Frame& frame, const FieldView& field,
                            const ValueScale& scale, const FigureOptions& options,
                            const Colour& off_scale);
/// Returns the place on the page of a point of the plane; nullopt where it cannot be seen.
using Place = std::function<std::optional<Point>(const PlanePoint&)>;
/// Draws the marks of draw_marks() but for the path and other networks, on any kind of page.
std::vector<Key> draw_extreme_marks(Canvas& canvas, const Place& place, const FieldView& field,
                                    const ValueScale& scale, const FigureOptions& options,
                                    const Colour& off_scale);
/// Returns the places of the star and diamond that draw_marks() draws.
std::vector<Point> mark_positions(const Frame& frame, const FieldView& field);

}  // namespace topograd::drawing
