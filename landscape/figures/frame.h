// What the figures share: layout, axes, colour bar, marks, caption and footer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/canvas.h"
#include "landscape/figures/scale.h"

namespace topograd::drawing {

inline constexpr Colour kInk{0.13, 0.13, 0.15};
inline constexpr Colour kSoftInk{0.42, 0.42, 0.45};
inline constexpr double kTickSize = 11;
/// The ratio of ranges up to which both axes of a field have equal units.
inline constexpr double kMaxUneven = 3;

/// The map from coordinates to the page, over the plot's rectangle; y grows upwards.
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

/// The places of a field's plot and of the colour bar beside it.
struct FieldLayout {
  FigureOptions page;  ///< the figure's options, with the height that is used
  Frame frame;
  Rect bar;
};
/// Both centred on the page. Equal units on both axes, unless one range is more than three times
/// the other; a wide field makes a lower page.
FieldLayout field_layout(const FigureOptions& options, double x_low, double x_high, double y_low,
                         double y_high);

/// Title, subtitle above; footer below.
void draw_heading(Canvas& canvas, const FigureOptions& options);
/// The plot's place between heading and x axis.
double plot_top(const FigureOptions& options);
double plot_bottom(const FigureOptions& options);

/// Positions on an axis: `major` ones carry labels.
struct Ticks {
  std::vector<double> major;
  std::vector<std::string> labels;
  std::vector<double> minor;
};
Ticks linear_ticks(double low, double high, int target);

/// About one tick every 50 px, fewer where their labels would touch.
void draw_x_axis(Canvas& canvas, const Frame& frame, const std::string& label);
/// Draws an axis on the left or the right of the plot, in one colour, its label rotated along it.
void draw_y_axis(Canvas& canvas, const Frame& frame, const Ticks& ticks, const std::string& label,
                 bool left, const Colour& colour);
void draw_box(Canvas& canvas, const Frame& frame);
/// Both axes and the box of a field's plot.
void draw_field_axes(Canvas& canvas, const Frame& frame, const FigureOptions& options);

/// A vertical bar whose colour at height t in [0, 1] is paint(t), with the scale's levels as ticks;
/// a swatch on top for values off the scale.
void draw_colour_bar(Canvas& canvas, const Rect& bar, const ValueScale& scale,
                     const std::vector<double>& ticks, const std::string& label,
                     const std::function<Colour(double)>& paint, const Colour& off_scale);

/// A symbol with words, for the caption under the plot.
struct Key {
  std::function<void(Canvas&, Point)> draw;
  std::string words;
};
void draw_caption(Canvas& canvas, const FigureOptions& options, double centre,
                  const std::vector<Key>& keys);

/// A dot, as a polygon.
Polyline disc(Point centre, double radius);
void draw_star(Canvas& canvas, Point centre);
void draw_diamond(Canvas& canvas, Point centre);
/// Grey, hatched ground: no number here.
void draw_hole(Canvas& canvas, const std::vector<Polyline>& loops);

/// FigureMarks, star and diamond over a field; returns their keys and those of holes and of values
/// off the scale.
std::vector<Key> draw_marks(Canvas& canvas, const Frame& frame, const FieldView& field,
                            const ValueScale& scale, const FigureOptions& options,
                            const Colour& off_scale);
/// The place on the page of a point of the plane; none where it cannot be seen.
using Place = std::function<std::optional<Point>(const PlanePoint&)>;
/// The part of draw_marks without the path and other networks, for any kind of page.
std::vector<Key> draw_extreme_marks(Canvas& canvas, const Place& place, const FieldView& field,
                                    const ValueScale& scale, const FigureOptions& options,
                                    const Colour& off_scale);
/// The places of draw_marks()' star and diamond.
std::vector<Point> mark_positions(const Frame& frame, const FieldView& field);

}  // namespace topograd::drawing
