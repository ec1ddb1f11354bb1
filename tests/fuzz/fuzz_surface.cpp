#include "landscape/surface/surface_results.h"
#include "tests/fuzz/drawn.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

void surface(std::string_view bytes) {
  const std::string path = folder() + "/surface.h5";
  surface_of_bytes(bytes).save(path);
  draw_and_write(record_of(Surface::load(path)), bytes);
}

}  // namespace topograd::fuzz
