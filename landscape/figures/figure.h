// Figures of a loss landscape for paper and screen: contours, heat maps, curves along a line.
//
// A Figure is drawn on any page: SVG and PDF, in which text stays text, or PNG of twice the size in
// pixels. Text that does not fit is set smaller and, if need be, shortened with an ellipsis.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/colour_map.h"
#include "landscape/figures/marching_squares.h"

namespace topograd {

namespace drawing {
class Canvas;
}

/// A picture that is ready to be drawn, as often as wanted.
struct Figure {
  int width = 0;  ///< px: 1/96 inch in PDF, two pixels in PNG
  int height = 0;
  std::string title = {};  ///< the document's
  std::function<void(drawing::Canvas&)> draw = {};
};

/// Writes a figure as the path's suffix says (.svg, .pdf, .png), whole or not at all; an Error for
/// any other suffix or an unwritable path.
void save_figure(const Figure& figure, const std::string& path);

/// Figures beside one another, `columns` to a row (0: all in one).
Figure side_by_side(const std::vector<Figure>& figures, size_t columns = 0);

enum class Scale { linear, log };

/// What is marked on a plane, beside its smallest value.
struct FigureMarks {
  struct Mark {
    PlanePoint at;
    std::string label;
  };
  std::string origin = "θ*";          ///< the name of (0, 0)
  std::vector<PlanePoint> path = {};  ///< a training's, from its first to its last point
  std::vector<std::string> epochs =
      {};                               ///< names of the path's points; written where there is room
  std::vector<size_t> rate_drops = {};  ///< points of the path where the learning rate fell
  std::vector<Mark> networks = {};      ///< others on the plane
};

struct FigureOptions {
  std::string title = {};
  std::string subtitle = {};
  std::string note = {};     ///< a line under the subtitle
  std::string x_label = {};  ///< with its unit: "alpha (direction x, filter-normalised)"
  std::string y_label = {};
  std::string value_label = "loss";
  std::string footer = {};  ///< provenance, one line

  /// Colours, levels and (for curves) the loss axis. On a logarithmic scale a value <= 0 is drawn
  /// as the smallest positive one; a field without positive values is an Error there.
  Scale scale = Scale::linear;
  /// Values above are off the scale: one flat tone, and a count in the caption.
  std::optional<double> clip_max = {};
  /// The ends of the scale, for several figures that share it; default: the range of the values.
  /// What lies beyond them is drawn in the first colour or off the scale.
  std::optional<double> level_min = {};
  std::optional<double> level_max = {};
  ColourMap colours = ColourMap::viridis;
  bool filled = true;  ///< contours: bands between the lines, not paper
  /// Heat maps: bilinear between the points instead of one cell per point.
  bool interpolate = false;
  FigureMarks marks = {};  ///< over a field

  /// The camera of a surface in three dimensions, in degrees: it stands `azimuth` to the right of
  /// where x points to the right and y away, `elevation` above the ground (5 to 90).
  double azimuth = 35;
  double elevation = 38;
  double relief = 0.55;  ///< height of the scale, in lengths of the longer side (0.05 to 3)

  int width = 700;   ///< px of the SVG, 400 to 4000; the PNG has twice as many
  int height = 600;  ///< 300 to 4000; the most: a field that is wider than high makes a lower page
};

/// Labelled contour lines over filled bands, with a colour bar. theta* = (0, 0) is marked by a star
/// and the smallest value by a diamond, its value in the caption. Cells with a corner that is not
/// finite are hatched. Throws Error for an inconsistent field or scale.
Figure contour_figure(const FieldView& field, const FigureOptions& options);

/// One coloured cell per point (its borders midway between points), or bilinear interpolation;
/// colour bar, marks and errors as for contour_figure. Points that are not finite are hatched.
Figure heat_map_figure(const FieldView& field, const FigureOptions& options);

/// The field as a lit relief with shadows, lines at the levels and axes around it: smooth between
/// the points, by cubics that rise and fall only where the values do. What is off the scale is cut
/// off flat; holes where a cell's corner is not finite. Errors as for contour_figure.
Figure surface_figure(const FieldView& field, const FigureOptions& options);

/// A curve.
struct Series {
  enum class Axis { left, right };
  /// Blue on the left and red on the right, solid or dashed; or a colour of its own.
  enum class Style { solid, dashed, coloured };

  std::string name;  ///< what the key calls it
  std::vector<double> values;
  std::vector<double> errors = {};  ///< a band of +-1 of these around a curve of the left axis
  Axis axis = Axis::left;           ///< right: in percent
  Style style = Style::solid;
  /// The curves that a curve of the left axis is the mean of, drawn faintly.
  std::vector<std::vector<double>> singles = {};
};

/// Curves over one axis. All lists have x's length; an empty series is left out.
struct CurveView {
  std::vector<double> x = {};  ///< increasing, at least 2
  std::vector<Series> series = {};
  std::string error_name = "standard error";  ///< what the errors are, in the key
  bool mark_minimum = true;                   ///< the first curve's, where none has its own colour
};

/// Curves with a key below them. Values that are not finite are gaps; a diamond marks the smallest
/// value. Of the options scale, clip_max, level_min and level_max belong to the left axis, y_label
/// is its label; the right one is the accuracy's, from 0 to 100 %. What belongs to fields is
/// unused. Throws Error for fewer than two points, an x that does not increase, and lists of other
/// lengths.
Figure curve_figure(const CurveView& curves, const FigureOptions& options);

}  // namespace topograd
