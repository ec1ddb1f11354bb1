// Results files as landscape export reads them.
#pragma once

#include <optional>
#include <string>

#include "landscape/exports/format.h"
#include "landscape/results/record.h"
#include "landscape/surface/surface.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

struct ExportSource {
  std::string path;
  Extent extent = Extent::other;
  Record record;
  std::optional<Surface> surface;               ///< set if the record is a surface
  std::optional<TrajectoryResults> trajectory;  ///< set if the record is a trajectory
};

/// Reads a file of any of landscape's commands, a file of the authors' tools, a training's log.csv,
/// or a record in JSON. Throws Error for any other file.
ExportSource read_export_source(const std::string& path);

}  // namespace topograd
