#include "landscape/surface/surface.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "kernels/core/atomic_file.h"
#include "kernels/core/numbers.h"
#include "landscape/results/hdf5_file.h"

namespace topograd {

namespace {

constexpr double kToDo = -1;  // marks a value not yet computed, in the authors' files

/// Returns whether a dataset of a surface file is not a plane.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 4> kReserved = {"xcoordinates", "ycoordinates", "dir_file",
                                                         "done"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

bool is_loss_or_accuracy(std::string_view name) {
  return name.starts_with("train_") || name.starts_with("test_");
}

Shape shape_of(const Surface& surface) {
  return surface.is_line() ? Shape{surface.nx()} : Shape{surface.ny(), surface.nx()};
}

/// Returns whether a dataset holds one value per point. The authors' tools label a grid [nx][ny].
bool fits(const Shape& shape, const Surface& surface) {
  return shape == shape_of(surface) ||
         (!surface.is_line() && shape == Shape{surface.nx(), surface.ny()});
}

void require_fit(const Hdf5File& file, const std::string& name, const Surface& surface) {
  require(fits(file.shape(name), surface), file.path(), ": ", name, " has the shape ",
          file.shape(name), ", its axes ask for ", shape_of(surface));
}

std::vector<double> read_axis(const Hdf5File& file, const std::string& name) {
  std::vector<double> axis = file.read<double>(name);
  require(file.shape(name).rank() == 1 && !axis.empty() &&
              std::all_of(axis.begin(), axis.end(), [](double v) { return std::isfinite(v); }),
          file.path(), ": ", name, " is not a list of coordinates");
  return axis;
}

void read_planes(const Hdf5File& file, Surface& surface) {
  for (const std::string& name : file.members()) {
    if (is_reserved(name) || !file.is_numeric(name)) continue;
    if (is_loss_or_accuracy(name)) require_fit(file, name, surface);
    if (fits(file.shape(name), surface)) surface.add_plane(name) = file.read<double>(name);
  }
}

/// Marks the points that are done by the mask or, in files without one, by the authors' -1.
void read_done(const Hdf5File& file, Surface& surface) {
  if (file.has("done")) {
    require_fit(file, "done", surface);
    const std::vector<uint8_t> done = file.read<uint8_t>("done");
    for (int64_t i = 0; i < surface.points(); ++i)
      if (done[static_cast<size_t>(i)]) surface.mark_done(i);
    return;
  }
  if (surface.planes().empty()) return;
  const std::vector<double>& values = surface.has_plane("train_loss")
                                          ? surface.plane("train_loss")
                                          : surface.planes().begin()->second;
  for (int64_t i = 0; i < surface.points(); ++i)
    if (values[static_cast<size_t>(i)] != kToDo) surface.mark_done(i);
}

/// Returns the values with `mark` at the points that are not done.
std::vector<double> with_mark(const Surface& surface, std::vector<double> values, double mark) {
  for (int64_t i = 0; i < surface.points(); ++i)
    if (!surface.done(i)) values[static_cast<size_t>(i)] = mark;
  return values;
}

bool nearly_equal(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  double largest = 0;
  for (double v : a) largest = std::max(largest, std::abs(v));
  // A few roundings: coordinates() and numpy.linspace may differ by one.
  return std::equal(a.begin(), a.end(), b.begin(),
                    [&](double u, double v) { return std::abs(u - v) <= 1e-14 * largest; });
}

}  // namespace

Surface::Surface(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)) {
  require(!x_.empty(), "a surface needs at least one point");
  done_.assign(static_cast<size_t>(points()), 0);
}

bool Surface::same_points(const Surface& other) const {
  return nearly_equal(x_, other.x_) && nearly_equal(y_, other.y_);
}

std::vector<double>& Surface::add_plane(const std::string& name) {
  require(!name.empty() && name.find('/') == name.npos && !is_reserved(name),
          "a plane of a surface cannot be named '", name, "'");
  std::vector<double>& values = planes_[name];
  values.resize(static_cast<size_t>(points()), kNaN);
  return values;
}

const std::vector<double>& Surface::plane(const std::string& name) const {
  const auto found = planes_.find(name);
  if (found != planes_.end()) return found->second;
  std::string names;
  for (const auto& [other, values] : planes_) names += (names.empty() ? "" : ", ") + other;
  fail("the surface has no '", name, "': it has ", names.empty() ? "no values at all" : names);
}

int64_t Surface::done_count() const {
  return std::count(done_.begin(), done_.end(), 1);
}

void Surface::save(const std::string& path) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_text("dir_file", dir_file);
    file.write("xcoordinates", x_.data(), {nx()});
    if (!is_line()) file.write("ycoordinates", y_.data(), {ny()});
    for (const auto& [name, values] : planes_)
      file.write(name, with_mark(*this, values, kToDo).data(), shape_of(*this));
    file.write("done", done_.data(), shape_of(*this));
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

Surface Surface::load(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  require(file.has("xcoordinates"), path, " holds no xcoordinates: it is not a surface file");
  const bool line = !file.has("ycoordinates");
  Surface surface(read_axis(file, "xcoordinates"),
                  line ? std::vector<double>{} : read_axis(file, "ycoordinates"));
  read_planes(file, surface);
  read_done(file, surface);
  for (auto& [name, values] : surface.planes_) values = with_mark(surface, std::move(values), kNaN);
  if (file.has("dir_file")) surface.dir_file = file.read_text("dir_file");
  surface.provenance = file.attributes();
  return surface;
}

std::pair<int64_t, double> minimum(const Surface& surface, const std::string& plane) {
  const std::vector<double>& values = surface.plane(plane);
  std::pair<int64_t, double> best{-1, kNaN};
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]) && (best.first < 0 || values[i] < best.second))
      best = {static_cast<int64_t>(i), values[i]};
  return best;
}

}  // namespace topograd
