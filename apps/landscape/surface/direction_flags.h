// The options of random directions, and of directions towards other networks.
#pragma once

#include <optional>
#include <string>

#include "apps/landscape/surface/surface_flags.h"
#include "landscape/planes/random_directions.h"

namespace topograd {

struct DirectionFlags {
  RandomDirections settings;
  std::optional<DirectionNorm> x_norm, y_norm;  ///< empty: settings.x.norm
  std::optional<Ignore> x_ignore, y_ignore;
  std::string to, third;  ///< files of the networks that x and y lead to

  /// Declares the options in the group "Directions"; a line has none for y.
  void add_to(cli::Options& options, bool line);
  /// Returns the directions that the options ask for.
  RandomDirections directions(const SurfaceFlags& surface) const;
  /// Returns a note where --bn states moves nothing; empty otherwise.
  std::string note(const SurfaceFlags& surface) const;
  bool leads_to_networks() const { return !to.empty() || !third.empty(); }

 private:
  void add_y_to(cli::Options& options);
};

}  // namespace topograd
