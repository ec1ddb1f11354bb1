// Results files as landscape export reads them.
#pragma once

#include <optional>
#include <string>

#include "landscape/exports/format.h"
#include "landscape/exports/record.h"

namespace topograd {

struct ExportSource {
  std::string path;
  ResultKind kind;
  Extent extent = Extent::other;
  Record record;
  std::optional<Surface> surface;               ///< of a surface
  std::optional<TrajectoryResults> trajectory;  ///< of a trajectory
};

/// Reads a file of any of landscape's commands, of the authors' tools, or a training's log.csv. An
/// Error for what is none of them.
ExportSource read_export_source(const std::string& path);

}  // namespace topograd
