// Results drawn and written in every way that needs no network.
#pragma once

#include <vector>

#include "landscape/plots/surface_plots.h"
#include "landscape/results/record.h"

namespace topograd::fuzz {

/// Returns a surface, or a line, of whatever points, values and mask the bytes say.
Surface surface_of_bytes(std::string_view bytes);

/// Draws the figures of a kind as SVG and as LaTeX; an Error is no fault: an axis of one point, say.
/// Unless every_way, one of the two that the input's bytes choose.
void draw(const Record& record, PictureKind kind, const PictureOptions& options,
          std::string_view bytes);

/// Draws the figures of a record, and writes it as a table and as JSON. Reliefs are left out: they
/// have a harness of their own. Unless every_way, figures of one kind that the input's bytes choose.
/// Throws std::logic_error if the JSON reads back as another record.
void draw_and_write(const Record& record, std::string_view bytes);

}  // namespace topograd::fuzz
