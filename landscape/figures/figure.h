// Figures of a loss landscape for paper and screen: contours, heat maps, curves along a line.
//
// A Figure is drawn on any page: SVG, PDF and EPS, in which text stays text, LaTeX, which sets it, or
// PNG. Text that does not fit is set smaller and, if need be, shortened with an ellipsis.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/figures/canvas/colour_map.h"
#include "landscape/figures/canvas/font.h"
#include "landscape/figures/marching_squares.h"

namespace topograd {

namespace drawing {
class Canvas;
}

inline constexpr double kPxPerInch = 96;
inline constexpr double kUsualDpi = 2 * kPxPerInch;

/// Numbers that a figure shows: columns of one length.
struct FigureData {
  struct Column {
    std::string name;
    std::vector<double> values;
  };
  std::vector<Column> columns = {};
};

/// Picture that can be drawn any number of times.
struct Figure {
  int width = 0;  ///< px: 1/96 inch; whole ones, into which the size that was asked for fits
  int height = 0;
  std::string title = {};  ///< title of the document
  std::function<void(drawing::Canvas&)> draw = {};
  FigureData data = {};
  /// Size in px as it was asked for, to which LaTeX keeps; 0: width and height.
  double exact_width = 0;
  double exact_height = 0;
};

/// What a file of a figure has beyond the figure.
struct FigureFile {
  double dpi = kUsualDpi;    ///< pixels to the inch in PNG, and of what EPS cannot draw otherwise
  bool transparent = false;  ///< nothing, not white, behind the figure
};

/// Returns the formats of figures' files, which are their suffixes: "svg", "pdf", "png", "eps", "tex",
/// and, for the same as the last, "pgf" and "tikz".
const std::vector<std::string>& figure_types();
/// Returns the type of a file by its suffix; empty for a name without a suffix. Throws Error for
/// any other suffix.
std::string figure_type_of(const std::string& path);

/// Writes a figure in the format of the path's suffix, atomically. Throws Error for a suffix of no
/// format or an unwritable path.
void save_figure(const Figure& figure, const std::string& path, const FigureFile& file = {});

/// Returns one figure with the given ones beside one another, `columns` to a row (0: all in one).
Figure side_by_side(const std::vector<Figure>& figures, size_t columns = 0);

enum class Scale { linear, log };

/// Marks on a plane, in addition to its smallest value.
struct FigureMarks {
  struct Mark {
    PlanePoint at;
    std::string label;
  };
  std::string origin = "θ*";          ///< name of (0, 0), which a star marks; empty: no star
  std::vector<PlanePoint> path = {};  ///< a training's path, first point to last
  std::vector<std::string> epochs =
      {};                               ///< names of the path's points; written where there is room
  std::vector<size_t> rate_drops = {};  ///< points of the path where the learning rate fell
  std::vector<Mark> networks = {};      ///< other networks on the plane
  bool largest = false;                 ///< mark the largest value, not the smallest
};

struct FigureOptions {
  std::string title = {};
  std::string subtitle = {};
  std::string note = {};     ///< a line under the subtitle
  std::string x_label = {};  ///< with its unit: "alpha (direction x, filter-normalised)"
  std::string y_label = {};
  std::string value_label = "loss";
  std::string unit = {};    ///< follows values in words: " %"
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
  bool filled = true;        ///< contours: colours between the lines
  int contour_points = 120;  ///< of contours along each axis: lines bend every 4 px
  /// Heat maps: bilinear interpolation instead of one cell per point.
  bool interpolate = false;
  FigureMarks marks = {};  ///< drawn over a field

  /// Camera of a surface in three dimensions, in degrees: `azimuth` 0 sees x point to the right and
  /// y away and grows to the right; `elevation` above the ground is 5 to 90. Default: the lowest
  /// from which (0, 0) and the smallest value are seen, 38 to 62.
  double azimuth = 35;
  std::optional<double> elevation = {};
  double relief = 0.55;     ///< height of the scale, in lengths of the longer side (0.05 to 3)
  int relief_points = 420;  ///< of its mesh along the longer side, at least 2

  double width = 700;   ///< px of the page
  double height = 600;  ///< px, at most: a wide field makes a lower page
  std::string font = kFont;
  double zoom = 1;         ///< size of letters, lines and gaps; at 1, axes' numbers have 11 px
  double dpi = kUsualDpi;  ///< of fields, which are images on every page
  bool with_title = true;
  bool with_subtitle = true;  ///< and the note
  bool with_footer = true;
  /// Frame of a film: size and camera must not depend on its values.
  bool film_frame = false;
};

/// Returns labelled contour lines over bands in the colours of heat maps, with a colour bar.
/// Monotone cubics lie between the points, as in surface_figure(). A star marks theta* = (0, 0), a
/// diamond the smallest value, given in the caption. Cells with a corner that is not finite are
/// hatched, those with one to do dotted. Throws Error for an inconsistent field or scale.
Figure contour_figure(const FieldView& field, const FigureOptions& options);

/// Returns a heat map: one coloured cell per point (its borders midway between points), or bilinear
/// interpolation; colour bar, marks and errors as for contour_figure. Points that are not finite
/// are hatched, those to do dotted.
Figure heat_map_figure(const FieldView& field, const FigureOptions& options);

/// Returns the field as a lit relief with shadows, lines at the levels and axes around it. Monotone
/// cubics between the points rise and fall only where the values do. The relief is cut off flat at
/// the scale's end; a cell with a corner that is not finite is hatched on the ground, one to do
/// dotted. Marks that the relief hides are hollow. Errors as for contour_figure.
Figure surface_figure(const FieldView& field, const FigureOptions& options);

/// Curve of a CurveView.
struct Series {
  enum class Axis { left, right };
  /// Style of the curve: solid or dashed, blue on the left axis and red on the right; a colour of
  /// its own; or that of the coloured curve before it, dashed.
  enum class Style { solid, dashed, coloured, coloured_dashed };

  std::string name;  ///< its name in the key
  std::vector<double> values;
  std::vector<double> errors = {};  ///< half widths of a band around a curve of the left axis
  Axis axis = Axis::left;           ///< right: in percent
  Style style = Style::solid;
  /// Curves whose mean a curve of the left axis is, drawn faintly.
  std::vector<std::vector<double>> singles = {};
  /// Places of its own on the axis, increasing, where it has other points than the view; its gaps
  /// are not hatched.
  std::vector<double> x = {};
};

/// Curves over one axis. All lists have the length of x, or of the series' own; an empty series is
/// left out.
struct CurveView {
  enum class Extreme { none, smallest, largest };

  std::vector<double> x = {};  ///< increasing, at least 2
  std::vector<Series> series = {};
  std::string error_name = "standard error";  ///< name of the errors in the key
  Extreme mark = Extreme::smallest;           ///< value marked on `marked`
  /// Name of the series with the mark; empty: the first, if no curve has a colour of its own.
  std::string marked = {};
  std::vector<double> guides = {0};  ///< places on x with a dotted line
  std::vector<uint8_t> to_do = {};   ///< 1: not computed yet; empty: all are
  bool points_only = false;          ///< no lines between the points
};

/// Returns curves with a key below them. Over values that are not finite the ground is hatched, over
/// those to do dotted; a diamond marks the smallest value. The options scale, clip_max, level_min,
/// level_max and y_label are the left axis's; the right axis is accuracy, from 0 to 100 %. Where all
/// x are whole numbers, as epochs are, so are the axis's. Options of fields are unused. Throws Error
/// for fewer than two points, an x that does not increase, and lists of other lengths.
Figure curve_figure(const CurveView& curves, const FigureOptions& options);

}  // namespace topograd
