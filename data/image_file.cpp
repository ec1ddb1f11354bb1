#include "data/image_file.h"

#include <stb_image.h>

#include <climits>

#include "data/dataset.h"
#include "data/jpeg_check.h"
#include "data/stb_memory.h"
#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
/// Pixels for a byte of a PNG: Deflate packs at most 1032 bytes to one, of eight pixels each.
constexpr int64_t kPngPixelsPerByte = 8 * 1032;
/// Bytes that decoding may hold at once for a pixel: sixteen-bit RGBA, and twice that while it
/// grows.
constexpr int64_t kWorkingBytesPerPixel = 16;

const char* reason() {
  const char* known = stbi_failure_reason();
  return known ? known : "unknown reason";
}

/// Returns the extent by which a padded plane of the image is bounded: JPEG's blocks of up to 32
/// pixels.
int64_t padded(int extent) {
  return extent + 32;
}

}  // namespace

DecodedImage decoded_image(std::string_view bytes) {
  require(bytes.size() <= INT_MAX, "it is larger than 2 GB");
  const bool is_png = bytes.starts_with(kPngSignature);
  if (!is_png) {
    require(bytes.starts_with('\xFF'), "it is neither PNG nor JPEG");
    check_jpeg(bytes);
  }
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  int width = 0, height = 0, channels = 0;
  const StbMemoryScope smallest(int64_t{1} << 16);
  require(stbi_info_from_memory(data, size, &width, &height, &channels) != 0, reason());
  require(width <= kLargestImage && height <= kLargestImage, "it has ", width, "x", height,
          " pixels, more than ", kLargestImage, " along a side: scale the images down");
  require(!is_png || int64_t{width} * height <= kPngPixelsPerByte * size, "it says that it has ",
          width, "x", height, " pixels, of which its ", size, " bytes cannot tell");
  const StbMemoryScope enough((int64_t{1} << 16) +
                              2 * kWorkingBytesPerPixel * padded(width) * padded(height));
  stbi_uc* pixels = stbi_load_from_memory(data, size, &width, &height, &channels,
                                          static_cast<int>(kColourChannels));
  require(pixels != nullptr, reason());
  return {{pixels, stbi_image_free}, height, width};
}

}  // namespace topograd
