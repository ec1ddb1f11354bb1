// Pages that cairo draws.
#pragma once

#include <functional>
#include <string>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Writes a PNG file with `scale` pixels per px, on white or on nothing.
void write_png(const std::string& path, int width, int height, double scale, bool transparent,
               const std::function<void(Canvas&)>& draw);

/// Writes a PDF file; a px is 1/96 inch. Text can be searched and copied: fonts are embedded, with
/// the characters they stand for.
void write_pdf(const std::string& path, int width, int height, const std::string& title,
               bool transparent, const std::function<void(Canvas&)>& draw);

/// Writes an EPS file of one page; a px is 1/96 inch. PostScript knows no opacity: what is behind
/// something translucent becomes an image of `dpi`.
void write_eps(const std::string& path, int width, int height, double dpi, bool transparent,
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
