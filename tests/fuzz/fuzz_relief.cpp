#include "landscape/surface/surface_results.h"
#include "tests/fuzz/drawn.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

/// The first byte says how large the page is.
void relief(std::string_view bytes) {
  Source source(bytes);
  PictureOptions options;
  options.look.width = 230 + source.byte();
  options.look.height = 160 + options.look.width / 4;
  // Light is traced over each point: of the usual 420 by 420 that takes a second.
  if (!every_way) options.look.dpi = kPxPerInch, options.look.relief_points = 40;
  draw(record_of(surface_of_bytes(source.rest())), PictureKind::surface, options, bytes);
}

}  // namespace topograd::fuzz
