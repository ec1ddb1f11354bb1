// Images as files: PNG and JPEG, decoded by stb_image.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace topograd {

/// An image in memory: [height][width][kColourChannels].
struct DecodedImage {
  std::unique_ptr<uint8_t, void (*)(void*)> pixels;
  int64_t height, width;
};

/// Largest height and width.
constexpr int64_t kLargestImage = 8192;

/// Decodes a PNG or a JPEG as RGB (grey is expanded, transparency dropped). Memory and time are in
/// proportion to the file's size, and equal bytes give equal pixels, of damaged files too. Throws
/// Error with the reason alone.
DecodedImage decoded_image(std::string_view bytes);

}  // namespace topograd
