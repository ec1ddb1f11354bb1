// Pages that cairo draws.
#pragma once

#include <functional>
#include <string>

#include "landscape/figures/canvas.h"

namespace topograd::drawing {

/// Two pixels for a px.
void write_png(const std::string& path, int width, int height,
               const std::function<void(Canvas&)>& draw);

/// A px is 1/96 inch. Text stays text: fonts are embedded, with the characters they stand for.
void write_pdf(const std::string& path, int width, int height, const std::string& title,
               const std::function<void(Canvas&)>& draw);

/// Pixels of a page, [height, width] of 0xAARRGGBB, `scale` pixels for a px.
struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<uint32_t> values = {};  ///< premultiplied
};
Pixels painted(int width, int height, double scale, const std::function<void(Canvas&)>& draw);

/// Half as wide and high, a last odd row or column left out: each pixel the mean of four.
Pixels halved(const Pixels& pixels);

/// The bytes of a PNG file.
std::string png_bytes(const Pixels& pixels);

}  // namespace topograd::drawing
