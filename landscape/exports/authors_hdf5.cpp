#include "landscape/exports/authors_hdf5.h"

#include <array>
#include <utility>

#include "kernels/core/atomic_file.h"
#include "landscape/results/hdf5_file.h"

namespace topograd {

namespace {

constexpr double kToDo = -1;

/// Names of planes: the authors', then ours.
constexpr std::array<std::pair<const char*, const char*>, 8> kPlanes = {{
    {"train_loss", "train_loss"},
    {"train_acc", "train_acc"},
    {"test_loss", "test_loss"},
    {"test_acc", "test_acc"},
    {"min_eig", "min_eig"},
    {"max_eig", "max_eig"},
    {"min_eig", "lambda_min"},
    {"max_eig", "lambda_max"},
}};

/// Returns the planes that the authors' files hold, by their names there.
std::vector<std::pair<std::string, const std::vector<double>*>> planes_of(const Surface& surface) {
  std::vector<std::pair<std::string, const std::vector<double>*>> planes;
  for (const auto& [theirs, ours] : kPlanes) {
    const bool renamed = std::string(theirs) != ours;
    if (surface.has_plane(ours) && !(renamed && surface.has_plane(theirs)))
      planes.emplace_back(theirs, &surface.plane(ours));
  }
  return planes;
}

}  // namespace

void require_authors_planes(const Surface& surface) {
  require(!planes_of(surface).empty(),
          "the authors' layout holds train_loss, train_acc, test_loss, test_acc, min_eig and "
          "max_eig, and the surface has none of them: choose npz, json or csv");
}

void write_authors_hdf5(const Surface& surface, const std::string& path) {
  require_authors_planes(surface);
  const Shape shape = surface.is_line() ? Shape{surface.nx()} : Shape{surface.ny(), surface.nx()};
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_text("dir_file", surface.dir_file);
    file.write("xcoordinates", surface.x().data(), {surface.nx()});
    if (!surface.is_line()) file.write("ycoordinates", surface.y().data(), {surface.ny()});
    for (const auto& [name, values] : planes_of(surface)) {
      std::vector<double> marked = *values;
      for (int64_t i = 0; i < surface.points(); ++i)
        if (!surface.done(i)) marked[static_cast<size_t>(i)] = kToDo;
      file.write(name, marked.data(), shape);
    }
    file.close_without_checksum();
  });
}

}  // namespace topograd
