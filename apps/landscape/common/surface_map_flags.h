// Maps over a surface, made by landscape hessian --over and coherence --over: options, tables,
// pictures.
#pragma once

#include <optional>
#include <string>

#include "apps/common/options.h"
#include "landscape/surface/surface_map.h"

namespace topograd {

struct SurfaceMapFlags {
  std::optional<std::string> over;      ///< file of a surface; empty: no map
  std::optional<std::string> dir_file;  ///< its directions, if not found again
  double save_seconds = 5;
  bool no_pictures = false;

  /// Declares --over, --dir-file, --save-seconds and --no-pictures in the group "Over a surface".
  void add_to(cli::Options& options);
};

/// Prints a line for each plane of the map: smallest, median and largest finite value.
void print_ranges(const Surface& map);

/// Draws <stem>_<suffix>.svg and .png of one plane; prints their names. `output` is the map's file.
void draw_map(const Surface& map, const std::string& output, const std::string& plane,
              const std::string& label, const std::string& suffix, const std::string& subtitle);

/// Returns whether a map can be drawn; prints why not.
bool can_draw_map(const Surface& map);

}  // namespace topograd
