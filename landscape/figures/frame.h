// What the figures share: layout, axes, colour bar, marks, caption and footer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/canvas/text_boxes.h"
#include "landscape/figures/scale.h"

namespace topograd::drawing {

inline constexpr Colour kInk{0.13, 0.13, 0.15};
inline constexpr Colour kSoftInk{0.42, 0.42, 0.45};
inline constexpr double kTickSize = 11;
/// Width in px from which a page is roomy: plots of figures of one size then have one size, whatever
/// their numbers. On a narrower one numbers beside a plot take what room they need.
inline constexpr double kRoomy = 480;
inline constexpr double kBarSpace = 84;  // px, usual room of a colour bar's numbers and label
/// Ratio of ranges up to which both axes of a field have equal units.
inline constexpr double kMaxUneven = 3;

/// Steps from one end of a scale to the other in which shapes are coloured: a bar and the field beside
/// it share their colours.
inline constexpr int kColoursOfShapes = 255;

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

/// Returns the options with sizes in px of the page before it is enlarged, without texts that the
/// page leaves out, and with the note in lines. Throws Error for a page without room for a plot.
FigureOptions on_page(const FigureOptions& options);
/// Returns the figure of such a page: what `draw` draws, in its font, enlarged.
Figure enlarged(const FigureOptions& page, const std::string& title, FigureData data,
                const std::function<void(Canvas&)>& draw);

/// Layout of a field's plot and of the colour bar beside it.
struct FieldLayout {
  FigureOptions page;  ///< the figure's options with the actual height
  Frame frame;
  Rect bar;
};
/// Returns the layout: plot and bar together are centred on the page. Both axes have equal units
/// unless one range is more than kMaxUneven times the other; a wide field makes a lower page.
/// `bar_labels` are the numbers beside the bar, `caption_rows` the rows of keys under the plot.
FieldLayout field_layout(const FigureOptions& options, double x_low, double x_high, double y_low,
                         double y_high, const std::vector<std::string>& bar_labels = {},
                         size_t caption_rows = 1);

/// Draws title and subtitle above, footer below.
void draw_heading(Canvas& canvas, const FigureOptions& options);
/// Return the plot's top, below the heading, and its bottom, above the x axis, in px.
double plot_top(const FigureOptions& options);
double plot_bottom(const FigureOptions& options, size_t caption_rows = 1);

/// Returns the middle of the first row of keys under the plot.
double caption_top(const FigureOptions& options, size_t caption_rows);

/// Positions on an axis: `major` ones carry labels.
struct Ticks {
  std::vector<double> major;
  std::vector<std::string> labels;
  std::vector<double> minor;
};
Ticks linear_ticks(double low, double high, int target);

/// Returns the room in px that a vertical axis takes beside a plot: ticks, numbers and its label; on
/// a roomy page at least the `usual` one.
double axis_room(const Canvas& canvas, const FigureOptions& page, double usual,
                 const std::vector<std::string>& labels);
/// Draws the label of an axis within `room` px: set smaller if need be, else without what it
/// says in brackets.
void draw_axis_label(Canvas& canvas, double room, Point centre, const std::string& label,
                     const Colour& colour, double angle = 0);
/// Draws an axis below the plot with about one tick every 50 px, fewer where labels would touch;
/// `whole`: at whole numbers only.
void draw_x_axis(Canvas& canvas, const Frame& frame, const std::string& label, bool whole = false);
/// Draws an axis on the left or the right of the plot, in one colour, its label rotated along it.
void draw_y_axis(Canvas& canvas, const Frame& frame, const Ticks& ticks, const std::string& label,
                 bool left, const Colour& colour);
void draw_box(Canvas& canvas, const Frame& frame);
/// Draws both axes and the box of a field's plot.
void draw_field_axes(Canvas& canvas, const Frame& frame, const FigureOptions& options);

/// Returns the labels of levels beside a bar or on lines, in one form.
std::vector<std::string> level_labels(const ValueScale& scale, const std::vector<double>& levels);

/// Returns all numbers beside a colour bar.
std::vector<std::string> bar_texts(const ValueScale& scale, const std::vector<double>& ticks);

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
/// Returns the keys in rows that fit the page; of a film's frame, one row.
std::vector<std::vector<Key>> caption_rows(const Canvas& canvas, const FigureOptions& options,
                                           const std::vector<Key>& keys);
/// Draws the rows of keys under the plot, centred at `centre` where they fit.
void draw_caption(Canvas& canvas, const FigureOptions& options, double centre,
                  const std::vector<Key>& keys);

/// Returns the pixels of images to a px of the page before it is enlarged.
double image_pixels(const FigureOptions& page);

/// Ranges of a field's axes.
struct Ranges {
  double x_low, x_high, y_low, y_high;
};
/// Returns the layout of a field's page with the keys that draw_marks() returns.
FieldLayout marked_layout(const FieldView& field, const ValueScale& scale,
                          const FigureOptions& options, const std::vector<std::string>& bar_labels,
                          const Ranges& ranges);

/// Returns the field as columns: the coordinates and the value of each point.
FigureData data_of(const FieldView& field, const FigureOptions& options);

/// Returns a dot, as a polygon.
Polyline disc(Point centre, double radius);
void draw_star(Canvas& canvas, Point centre);
void draw_diamond(Canvas& canvas, Point centre);
/// Draws grey, hatched ground where values are not finite.
void draw_hole(Canvas& canvas, const std::vector<Polyline>& loops);
/// Draws light, dotted ground where values are still to be computed.
void draw_to_do(Canvas& canvas, const std::vector<Polyline>& loops);
/// Appends the keys of holes and of points to do, counted, where there are any.
void add_gap_keys(std::vector<Key>& keys, int64_t not_finite, int64_t to_do);

/// Draws FigureMarks, star and diamond over a field; returns their keys and those of holes and of
/// values off the scale.
std::vector<Key> draw_marks(Canvas& canvas, const Frame& frame, const FieldView& field,
                            const ValueScale& scale, const FigureOptions& options,
                            const Colour& off_scale);
/// Place on the page, which something may hide.
struct Spot {
  Point at;
  bool hidden = false;
};
/// Returns the place on the page of a point of the plane; nullopt where it has none.
using Place = std::function<std::optional<Spot>(const PlanePoint&)>;
/// Draws the marks of draw_marks() but for the path and other networks, on any kind of page.
std::vector<Key> draw_extreme_marks(Canvas& canvas, const Place& place, const FieldView& field,
                                    const ValueScale& scale, const FigureOptions& options,
                                    const Colour& off_scale);
/// Returns the places of the star and diamond that draw_marks() draws.
std::vector<Point> mark_positions(const Frame& frame, const FieldView& field,
                                  const FigureMarks& marks);

}  // namespace topograd::drawing
