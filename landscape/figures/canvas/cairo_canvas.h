// Pages that cairo draws.
#pragma once

#include <functional>
#include <string>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Writes a PNG file with two pixels per px.
void write_png(const std::string& path, int width, int height,
               const std::function<void(Canvas&)>& draw);

/// Writes a PDF file; a px is 1/96 inch. Text can be searched and copied: fonts are embedded, with
/// the characters they stand for.
void write_pdf(const std::string& path, int width, int height, const std::string& title,
               const std::function<void(Canvas&)>& draw);

/// Pixels of a page, [height, width] of 0xAARRGGBB.
struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<uint32_t> values = {};  ///< premultiplied
};
/// Returns the drawn page with `scale` pixels per px.
Pixels painted(int width, int height, double scale, const std::function<void(Canvas&)>& draw);

/// Returns the picture half as wide and high, each pixel the mean of four; drops a last odd row or
/// column.
Pixels halved(const Pixels& pixels);

/// Returns the bytes of a PNG file.
std::string png_bytes(const Pixels& pixels);

}  // namespace topograd::drawing
