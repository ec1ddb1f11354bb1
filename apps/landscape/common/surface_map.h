// Other quantities than the loss, at every point of a surface that was computed earlier.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/landscape/surface/direction_flags.h"
#include "kernels/core/context.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Declares --over, --dir-file, --save-seconds and --no-pictures in the group "Over a surface".
void add_map_flags(cxxopts::Options& options);

struct SurfaceMapSpec {
  std::string quantity;             ///< what is computed: "curvature"
  std::vector<std::string> planes;  ///< by these names
  std::string output;
  /// What decides the values besides the model and the directions: images, loss, seeds. A file is
  /// continued where all of it agrees.
  Provenance choices;
  Device device;        ///< that it is computed on
  std::string command;  ///< for the file
};

/// The points of a surface, its network and its directions, with values of another kind: a file of
/// its own, which is continued as surfaces are.
class SurfaceMap {
 public:
  struct Point {
    double alpha, beta;
    Tensor theta, running_stats;  ///< the network there
  };
  using Values = std::map<std::string, double>;  ///< by plane
  /// Nothing where it was interrupted.
  using Measure = std::function<std::optional<Values>(const Point&)>;

  /// Of the surface that --over names. Its directions are read from --dir-file, from the file that
  /// it names, or made again by its own command, and known by their hash. Throws Error where it is
  /// another network's, its directions cannot be had, or the output is another command's.
  SurfaceMap(const cxxopts::ParseResult& flags, const LoadedModel& model,
             const SurfaceMapSpec& spec);

  /// All points that are not done, from coarse to fine, saved as they come. False where it was
  /// interrupted, which is said.
  bool compute(const Measure& measure);

  const Surface& surface() const { return surface_; }
  /// A line for each of the planes: smallest, median and largest finite value.
  void print_ranges() const;
  /// <stem>_<suffix>.svg and .png of one plane, unless --no-pictures; prints their names.
  void draw(const std::string& plane, const std::string& label, const std::string& suffix,
            const std::string& subtitle) const;

 private:
  Point at(int64_t point);

  const LoadedModel& model_;
  SurfaceMapSpec spec_;
  std::string over_;
  Surface source_, surface_;
  SurfaceDirections directions_;
  double save_seconds_;
  bool pictures_;
  Context host_;
};

}  // namespace topograd
