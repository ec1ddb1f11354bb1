// Pictures for LaTeX: PGF/TikZ that a document reads with \input and sets in its own fonts.
#pragma once

#include <functional>
#include <string>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Returns a tikzpicture of `width` by `height` px: each colour is defined once, at the top; fields
/// are rectangles and quadrilaterals; texts are nodes without a font, in the sizes of the figure.
std::string tikz_text(double width, double height, const std::string& title, bool transparent,
                      const std::function<void(Canvas&)>& draw);

}  // namespace topograd::drawing
