#include "landscape/surface/surface_results.h"
#include "tests/fuzz/drawn.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void relief(std::string_view bytes) {
  PictureOptions smallest;
  smallest.look.width = 400;
  smallest.look.height = 300;
  draw(record_of(surface_of_bytes(bytes)), {PictureKind::surface}, smallest);
}

}  // namespace topograd::fuzz
