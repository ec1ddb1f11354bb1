// What a JPEG must satisfy before stb_image decodes it.
#pragma once

#include <string_view>

namespace topograd {

/// Throws Error with the reason alone for a JPEG whose decoding could write or read where it must
/// not, or take time out of proportion to its size: markers, segments, Huffman tables and the
/// image's size are held against the bytes. Entropy-coded data are not looked at: any bits of them
/// are safe.
///
/// stb_image (2.27, of 2022) fills a Huffman table before it counts the symbols. It finds markers
/// by the same rules as this does, or stops: it sees no table that was not checked here.
void check_jpeg(std::string_view bytes);

}  // namespace topograd
