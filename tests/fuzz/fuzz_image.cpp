#include <stdexcept>
#include <vector>

#include "data/dataset.h"
#include "data/image_file.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

std::vector<uint8_t> pixels_of(std::string_view bytes) {
  const DecodedImage image = decoded_image(bytes);
  const uint8_t* first = image.pixels.get();
  return {first, first + image.height * image.width * kColourChannels};
}

}  // namespace

void image(std::string_view bytes) {
  if (pixels_of(bytes) != pixels_of(bytes)) throw std::logic_error("pixels that nobody set");
}

}  // namespace topograd::fuzz
