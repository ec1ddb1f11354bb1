// Surfaces as records, and back.
#pragma once

#include "landscape/results/record.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// x, y and every plane over them, [ny][nx] (of a line [nx]), NaN at points to do; the mask `done`.
/// The errors of a plane are <plane>_sd where the surface is a mean over several directions, else
/// <plane>_se. dir_file is in the provenance. Throws Error where a plane has the name of another
/// array.
Record record_of(const Surface& surface);

/// The surface that a record of the kind "surface" holds. Throws Error where its arrays make none.
Surface surface_of(const Record& record);

/// Adds the planes of a line, with a prefix before their names, and its mask `<prefix>done`.
void add_planes_to(Record& record, const Surface& line, const std::string& prefix,
                   const std::string& axis);

}  // namespace topograd
