// Labels on contour lines: where the line is straight and nothing else is near.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Contour on the page, and the size of the label it may carry.
struct ContourOnPage {
  Polyline line;
  size_t level = 0;        ///< lines of one level share their labels' text
  double label_width = 0;  ///< px
};

struct PlacedLabel {
  size_t line;   ///< index of the contour
  Point centre;  ///< centre of the text
  double angle;  ///< radians, upright: in (-pi/2, pi/2]
  double begin;  ///< start of the gap: arc length from the line's first point, px
  double end;    ///< end of the gap; on a closed line it may pass the line's end
};

/// Disc (begin == end) or stadium that labels keep away from.
struct Obstacle {
  Point begin;
  Point end;
  double radius;
};

/// Places labels: first one for every level, on its longest line that has room, then one for
/// further long lines, then more along very long ones. A label lies within `area`, along a nearly
/// straight piece of its line, and no other line, label or obstacle touches it; a level without
/// such a place stays unlabelled.
std::vector<PlacedLabel> place_labels(const std::vector<ContourOnPage>& lines, const Rect& area,
                                      double label_height, std::vector<Obstacle> obstacles);

/// Returns the pieces of a line without the stretches [begin, end] of its labels.
std::vector<Polyline> with_gaps(const Polyline& line, const std::vector<PlacedLabel>& labels);

}  // namespace topograd::drawing
