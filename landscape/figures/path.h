// A training's path over a field, and other networks on its plane, with their labels.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/frame.h"

namespace topograd::drawing {

/// Label beside its point.
struct PlacedText {
  Point centre;
  double width;  ///< px
  std::string words;
};
inline constexpr double kMarkTextSize = 10;

/// Returns labels for the networks, and for as many of the path's points as have room, first its
/// ends and those where the learning rate fell: none covers another, a network or the path.
std::vector<PlacedText> place_mark_labels(Canvas& canvas, const Frame& frame,
                                          const FigureMarks& marks);

/// Draws the path, the networks and their labels; returns their keys for the caption.
std::vector<Key> draw_path(Canvas& canvas, const Frame& frame, const FigureMarks& marks);

/// Draws the path and the networks where `place` sees them, without labels; returns their keys for
/// the caption.
std::vector<Key> draw_path_where_seen(Canvas& canvas, const Place& place, const FigureMarks& marks);

}  // namespace topograd::drawing
