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
  int width = 0;  ///< in px: 1/96 inch in PDF, two pixels in PNG
  int height = 0;
  std::string title = {};  ///< of the document
  std::function<void(drawing::Canvas&)> draw = {};
};

/// Writes it as the path's suffix says (.svg, .pdf, .png), whole or not at all; an Error for any
/// other suffix or an unwritable path.
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
  std::string origin = "θ*";             ///< the name of (0, 0)
  std::vector<PlanePoint> path = {};     ///< of training, drawn from its first to its last point
  std::vector<std::string> epochs = {};  ///< of the path's points; written where there is room
  std::vector<size_t> rate_drops = {};   ///< points of the path where the learning rate fell
  std::vector<Mark> networks = {};       ///< others on the plane
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

  /// Of a surface in three dimensions, in degrees: the camera stands `azimuth` to the right of
  /// where x points to the right and y away, `elevation` above the ground (5 to 90).
  double azimuth = 35;
  double elevation = 38;
  double relief = 0.55;  ///< height of the scale, in lengths of the longer side (0.05 to 3)

  int width = 700;   ///< in px of the SVG, 400 to 4000; the PNG has twice as many
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

/// Losses and accuracies along a line. Every series but x may be empty; the others have x's length.
struct CurveView {
  std::vector<double> x = {};  ///< increasing, at least 2
  std::vector<double> train_loss = {};
  std::vector<double> test_loss = {};
  std::vector<double> train_accuracy = {};  ///< percent
  std::vector<double> test_accuracy = {};
  std::vector<double> train_loss_error = {};  ///< a band of +-1 of these around train_loss
  std::vector<double> test_loss_error = {};
  std::string error_name = "standard error";   ///< what they are, in the key
  std::string train_loss_name = "train loss";  ///< in the key, where the two are something else
  std::string test_loss_name = "test loss";
  bool mark_minimum = true;  ///< of train_loss
  /// The curves that train_loss is the mean of, drawn faintly; each of x's length.
  std::vector<std::vector<double>> train_loss_singles = {};
  std::vector<std::vector<double>> test_loss_singles = {};
  /// Further curves on the loss axis, each with a name for the key and a colour of its own.
  struct Named {
    std::string name;
    std::vector<double> values;  ///< of x's length
  };
  std::vector<Named> more = {};
};

/// Loss on the left axis in blue, accuracy on the right axis in red; train solid, test dashed.
/// Values that are not finite are gaps; a diamond marks the smallest train loss, where
/// that is wanted and there are no further curves. FigureOptions:
/// y_label is the loss axis's label, scale, clip_max, level_min and level_max belong to the loss;
/// interpolate and trajectory are unused.
Figure curve_figure(const CurveView& curves, const FigureOptions& options);

}  // namespace topograd
