// Converts surfaces to records and back.
#pragma once

#include "landscape/results/record.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Returns a record of x, y, every plane over them, [ny][nx] (a line: [nx]), NaN at points to do,
/// and the mask `done`. The errors of a plane are <plane>_sd if the surface is a mean over several
/// planes, else <plane>_se. dir_file is in the provenance. Throws Error if a plane has the name of
/// another array.
Record record_of(const Surface& surface);

/// Returns the surface in a record of the kind "surface". Throws Error if its arrays are none.
Surface surface_of(const Record& record);

/// Adds the planes of a line as <prefix><plane> along `axis`, and its mask as <prefix>done.
void add_planes_to(Record& record, const Surface& line, const std::string& prefix,
                   const std::string& axis);

}  // namespace topograd
