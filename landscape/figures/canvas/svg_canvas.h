// SVG pages whose text is text: it can be searched, copied and edited. (cairo's would be outlines.)
#pragma once

#include <functional>
#include <string>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Returns an SVG 1.1 document without the XML declaration, fit for a page of HTML too, where each
/// of several needs its own prefix for ids. If the viewer lacks the font, another one's letters are
/// stretched to the same width.
std::string svg_text(int width, int height, const std::string& title,
                     const std::function<void(Canvas&)>& draw, const std::string& prefix = "",
                     bool transparent = false);

}  // namespace topograd::drawing
