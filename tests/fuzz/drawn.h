// Results drawn and written in every way that needs no network.
#pragma once

#include <vector>

#include "landscape/plots/surface_plots.h"
#include "landscape/results/record.h"

namespace topograd::fuzz {

/// Returns a surface, or a line, of whatever points, values and mask the bytes say.
Surface surface_of_bytes(std::string_view bytes);

/// Draws the figures of these kinds, as SVG; an Error is no fault: an axis of one point, say.
void draw(const Record& record, const std::vector<PictureKind>& kinds,
          const PictureOptions& options);

/// Draws the figures of a record, and writes it as a table and as JSON. Reliefs, which take
/// a second, are left out. Throws std::logic_error if the
/// JSON reads back as another record.
void draw_and_write(const Record& record);

}  // namespace topograd::fuzz
