// The flags that say which directions span a surface.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "landscape/directions/surface_directions.h"

namespace topograd {

/// What --norm, --ignore, --seed, --seeds, --idx, --dir-type, --to and --dir-file ask for; a line
/// has no y. Reads --dir-file where it is there, writes it where it is not.
SurfaceDirections surface_directions(const cxxopts::ParseResult& flags, const LoadedModel& model,
                                     DirectionType type, bool line, bool may_write);

}  // namespace topograd
