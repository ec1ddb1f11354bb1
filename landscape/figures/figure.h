// Figures of a loss landscape for paper and screen: contours, heat maps, curves along a line.
//
// A Figure is drawn on any page: SVG and PDF, in which text stays text, or PNG of twice the size in
// pixels. Text that does not fit is set smaller and, if need be, shortened with an ellipsis.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/canvas/colour_map.h"
#include "landscape/figures/marching_squares.h"

namespace topograd {

namespace drawing {
class Canvas;
}

/// Picture that can be drawn any number of times.
struct Figure {
  int width = 0;  ///< px: 1/96 inch in PDF, two pixels in PNG
  int height = 0;
  std::string title = {};  ///< title of the document
  std::function<void(drawing::Canvas&)> draw = {};
};

/// Writes a figure in the format of the path's suffix (.svg, .pdf, .png), atomically. Throws Error
/// for any other suffix or an unwritable path.
void save_figure(const Figure& figure, const std::string& path);

/// Returns one figure with the given ones beside one another, `columns` to a row (0: all in one).
Figure side_by_side(const std::vector<Figure>& figures, size_t columns = 0);

enum class Scale { linear, log };

/// Marks on a plane, in addition to its smallest value.
struct FigureMarks {
  struct Mark {
    PlanePoint at;
    std::string label;
  };
  std::string origin = "θ*";          ///< name of (0, 0)
  std::vector<PlanePoint> path = {};  ///< a training's path, first point to last
  std::vector<std::string> epochs =
      {};                               ///< names of the path's points; written where there is room
  std::vector<size_t> rate_drops = {};  ///< points of the path where the learning rate fell
  std::vector<Mark> networks = {};      ///< other networks on the plane
};

struct FigureOptions {
  std::string title = {};
  std::string subtitle = {};
  std::string note = {};     ///< a line under the subtitle
  std::string x_label = {};  ///< with its unit: "alpha (direction x, filter-normalised)"
  std::string y_label = {};
  std::string value_label = "loss";
  std::string footer = {};  ///< provenance, one line

  /// Scale of colours, levels and (for curves) the loss axis. On a logarithmic scale a value <= 0
  /// is drawn as the smallest positive one; a field without positive values is an Error.
  Scale scale = Scale::linear;
  /// Largest value on the scale; those above have one flat tone, and a count in the caption.
  std::optional<double> clip_max = {};
  /// Ends of the scale, for figures that share one; default: the range of the values. Values below
  /// are drawn in the first colour, values above off the scale.
  std::optional<double> level_min = {};
  std::optional<double> level_max = {};
  ColourMap colours = ColourMap::viridis;
  bool filled = true;  ///< contours: colours between the lines
  /// Heat maps: bilinear interpolation instead of one cell per point.
  bool interpolate = false;
  FigureMarks marks = {};  ///< drawn over a field

  /// Camera of a surface in three dimensions, in degrees: `azimuth` 0 sees x point to the right and
  /// y away and grows to the right; `elevation` above the ground is 5 to 90.
  double azimuth = 35;
  double elevation = 38;
  double relief = 0.55;  ///< height of the scale, in lengths of the longer side (0.05 to 3)

  int width = 700;   ///< px of the SVG, 400 to 4000; the PNG has twice as many
  int height = 600;  ///< px, 300 to 4000, at most: a wide field makes a lower page
};

/// Returns labelled contour lines over filled bands, with a colour bar. A star marks theta* =
/// (0, 0), a diamond the smallest value, given in the caption. Cells with a corner that is not
/// finite are hatched. Throws Error for an inconsistent field or scale.
Figure contour_figure(const FieldView& field, const FigureOptions& options);

/// Returns a heat map: one coloured cell per point (its borders midway between points), or bilinear
/// interpolation; colour bar, marks and errors as for contour_figure. Points that are not finite
/// are hatched.
Figure heat_map_figure(const FieldView& field, const FigureOptions& options);

/// Returns the field as a lit relief with shadows, lines at the levels and axes around it. Monotone
/// cubics between the points rise and fall only where the values do. The relief is cut off flat at
/// the scale's end; a cell with a corner that is not finite is a hole. Errors as for
/// contour_figure.
Figure surface_figure(const FieldView& field, const FigureOptions& options);

/// Curve of a CurveView.
struct Series {
  enum class Axis { left, right };
  /// Style of the curve: solid or dashed, blue on the left axis and red on the right; or a colour
  /// of its own.
  enum class Style { solid, dashed, coloured };

  std::string name;  ///< its name in the key
  std::vector<double> values;
  std::vector<double> errors = {};  ///< half widths of a band around a curve of the left axis
  Axis axis = Axis::left;           ///< right: in percent
  Style style = Style::solid;
  /// Curves whose mean a curve of the left axis is, drawn faintly.
  std::vector<std::vector<double>> singles = {};
};

/// Curves over one axis. All lists have the length of x; an empty series is left out.
struct CurveView {
  std::vector<double> x = {};  ///< increasing, at least 2
  std::vector<Series> series = {};
  std::string error_name = "standard error";  ///< name of the errors in the key
  bool mark_minimum = true;                   ///< mark the first curve's, if none is coloured
};

/// Returns curves with a key below them. Values that are not finite are gaps; a diamond marks the
/// smallest value. The options scale, clip_max, level_min, level_max and y_label are the left
/// axis's; the right axis is accuracy, from 0 to 100 %. Options of fields are unused. Throws Error
/// for fewer than two points, an x that does not increase, and lists of other lengths.
Figure curve_figure(const CurveView& curves, const FigureOptions& options);

}  // namespace topograd
