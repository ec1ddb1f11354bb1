// Contours of a field sampled on a rectangular grid, and the levels to draw them at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace topograd {

/// Scalar field on a rectilinear grid: neither square nor evenly spaced in general.
struct FieldView {
  std::vector<double> x;            ///< nx >= 2 coordinates, strictly increasing
  std::vector<double> y;            ///< ny >= 2 coordinates, strictly increasing
  std::vector<double> values;       ///< [ny, nx]: row = y; NaN and inf are holes
  std::vector<uint8_t> to_do = {};  ///< [ny, nx], 1: not computed yet; empty: all are

  double at(size_t row, size_t column) const { return values[row * x.size() + column]; }
  bool is_to_do(size_t index) const { return !to_do.empty() && to_do[index] != 0; }
  /// Throws Error unless the sizes fit and the axes increase.
  void check() const;
};

struct PlanePoint {
  double x = 0;
  double y = 0;
};

/// Chain of segments. In a closed one the last point joins the first, which is not repeated.
struct Polyline {
  std::vector<PlanePoint> points;
  bool closed = false;
};

/// Returns the lines {field = level} by marching squares (Lorensen & Cline, "Marching Cubes", 1987,
/// in two dimensions): linear along the grid's edges; at a saddle, where a cell's diagonals
/// disagree, the mean of its corners decides which pair is joined. Segments are stitched into the
/// longest possible lines, larger values on their left. A line ends at the grid's border or at a
/// hole, which is any cell with a corner that is not finite.
std::vector<Polyline> contour_lines(const FieldView& field, double level);

/// Returns closed loops around {field >= level}, bounded by contour_lines(), the grid's border and
/// its holes. Counter-clockwise around the region and clockwise around what it leaves out.
std::vector<Polyline> region_above(const FieldView& field, double level);

/// Returns rectangles that cover the cells with a corner that is not finite but none to do, one for
/// each run of such cells along a row. Counter-clockwise.
std::vector<Polyline> holes(const FieldView& field);
/// Returns such rectangles for the cells with a corner to do.
std::vector<Polyline> unfinished(const FieldView& field);

/// Returns round numbers (1, 2 or 5 times a power of ten apart) in [low, high], about `target` of
/// them and never more than twice as many. Empty unless low < high, both finite.
std::vector<double> linear_levels(double low, double high, int target);

/// Returns round numbers in [low, high], spaced about evenly in the logarithm: powers of ten, or
/// 1-3 within each decade, 1-2-5, 1-1.5-2-3-5-7 or 14 numbers, whichever comes closest to `target`;
/// linear_levels() where high < 4 low. Empty unless 0 < low < high.
std::vector<double> log_levels(double low, double high, int target);

}  // namespace topograd
