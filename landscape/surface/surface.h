// Surface: the values of a loss landscape on a line or a grid, a mask of finished points, and their
// provenance.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "landscape/results/provenance.h"

namespace topograd {

/// A line of nx points, or a grid of ny rows (y, beta) of nx points (x, alpha).
///
/// Values are named planes of double, [ny][nx]: train_loss, train_acc (percent), train_loss_se
/// (standard error), train_correct, test_loss, ... One mask says which points are done, in all
/// planes at once; NaN and infinity are values like any other. A point that is not done is NaN in
/// memory.
class Surface {
 public:
  /// Makes a surface without planes, all points to do. An empty `y` makes a line. Throws Error if x
  /// is empty.
  explicit Surface(std::vector<double> x, std::vector<double> y = {});

  const std::vector<double>& x() const { return x_; }
  const std::vector<double>& y() const { return y_; }  ///< empty for a line
  bool is_line() const { return y_.empty(); }
  int64_t nx() const { return static_cast<int64_t>(x_.size()); }
  int64_t ny() const { return is_line() ? 1 : static_cast<int64_t>(y_.size()); }
  int64_t points() const { return nx() * ny(); }
  /// Returns a point's index in the planes.
  int64_t index(int64_t ix, int64_t iy = 0) const { return iy * nx() + ix; }
  /// Returns whether another surface has the same points, up to rounding.
  bool same_points(const Surface& other) const;

  /// Returns the plane of this name; makes one of NaN if there is none.
  std::vector<double>& add_plane(const std::string& name);
  bool has_plane(const std::string& name) const { return planes_.contains(name); }
  /// Returns the plane of this name. Throws Error, listing the planes, if there is none.
  const std::vector<double>& plane(const std::string& name) const;
  const std::map<std::string, std::vector<double>>& planes() const { return planes_; }

  bool done(int64_t point) const { return done_[static_cast<size_t>(point)] != 0; }
  void mark_done(int64_t point) { done_[static_cast<size_t>(point)] = 1; }
  int64_t done_count() const;

  /// Writes the paper's authors' HDF5 layout, atomically: xcoordinates, ycoordinates, dir_file and
  /// a dataset per plane, [ny][nx], in which -1 means "to do". Adds the mask as `done` (u8), and
  /// the provenance as attributes of the root, both of which the authors' tools ignore.
  void save(const std::string& path) const;

  /// Reads a file of save() or of the authors' tools. Theirs have no mask: a point is to do if its
  /// train_loss (or, without one, the first plane) is -1. They give grids of nx != ny points the
  /// shape [nx][ny], but store rows of nx values: such grids are read as [ny][nx].
  static Surface load(const std::string& path);

  std::string dir_file;   ///< file of the directions
  Provenance provenance;  ///< empty for a file of the authors' tools

 private:
  std::vector<double> x_;
  std::vector<double> y_;
  std::map<std::string, std::vector<double>> planes_;
  std::vector<uint8_t> done_;
};

/// Returns the point of a plane's smallest finite value, and the value; {-1, NaN} if there is none.
std::pair<int64_t, double> minimum(const Surface& surface, const std::string& plane);

}  // namespace topograd
