#include "data/image_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

std::string segment(int marker, const std::string& contents) {
  const auto length = static_cast<int>(contents.size() + 2);
  return bytes_of({0xFF, marker, length >> 8, length & 255}) + contents;
}

/// A Huffman table: the number of codes of each length, from 1, then as many symbols, all of them
/// 0.
std::string huffman(int table, std::vector<int> counts) {
  counts.resize(16);
  int symbols = 0;
  std::string contents = bytes_of({table});
  for (const int count : counts) {
    contents += static_cast<char>(count);
    symbols += count;
  }
  return segment(0xC4, contents + std::string(static_cast<size_t>(symbols), '\0'));
}

std::string frame(int kind, int width, int height) {
  return segment(kind,
                 bytes_of({8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0}));
}

const std::string kBegin = bytes_of({0xFF, 0xD8});
const std::string kEnd = bytes_of({0xFF, 0xD9});
const std::string kQuantisation = segment(0xDB, '\0' + std::string(64, '\1'));
const std::string kFrame = frame(0xC0, 8, 8);
const std::string kTables = huffman(0x00, {1}) + huffman(0x10, {1});
/// One block: no change of its mean, and no other frequency.
const std::string kScan = segment(0xDA, bytes_of({1, 1, 0, 0, 63, 0})) + bytes_of({0x3F});

std::string refusal(const std::string& bytes) {
  return error_of([&] { decoded_image(bytes); });
}

std::vector<int> pixels(const DecodedImage& image) {
  const uint8_t* first = image.pixels.get();
  return {first, first + image.height * image.width * 3};
}

}  // namespace

TEST_CASE("image file: a JPEG as small as they come is grey") {
  const DecodedImage image =
      decoded_image(kBegin + kQuantisation + kFrame + kTables + kScan + kEnd);
  CHECK(image.height == 8);
  CHECK(image.width == 8);
  CHECK(pixels(image) == std::vector<int>(8 * 8 * 3, 128));
}

TEST_CASE(
    "image file: a Huffman table of more symbols than its memory is refused before it is filled") {
  CHECK(refusal(bytes_of({0xFF, 0xD8, 0xFF, 0xC4, 0x0F, 0x00, 0x00, 0xEF, 0xD9})) ==
        "a JPEG segment is longer than the file");
  const auto with = [](const std::string& table) {
    return refusal(kBegin + kQuantisation + kFrame + table + kScan + kEnd);
  };
  CHECK(with(huffman(0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 200, 200})) ==
        "a Huffman table of the JPEG has 600 symbols");
  CHECK(with(huffman(0, {0, 0, 0, 0, 0, 0, 0, 1, 255})) ==
        "a Huffman table of the JPEG has 256 symbols");
  CHECK(with(huffman(0, {3})) == "a Huffman table of the JPEG has more codes than there can be");
  CHECK(with(segment(0xC4, bytes_of({0, 1}))) == "the JPEG ends too soon");
}

TEST_CASE("image file: what a JPEG uses without defining it is zero, and not what lay in memory") {
  const std::string no_tables = kBegin + kFrame + kScan + kEnd;
  const std::string no_scan_of_two =
      kBegin + kQuantisation + kTables +
      segment(0xC0, bytes_of({8, 0, 8, 0, 8, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0})) + kScan +
      kEnd;
  for (const std::string& bytes : {no_tables, no_scan_of_two}) {
    std::vector<std::vector<int>> seen;
    for (int fill = 0; fill < 3; ++fill) {
      // Memory that is given back is what the next block is likely to lie in.
      for (const size_t size : {192, 256, 20000}) {
        std::vector<uint8_t> used(size, static_cast<uint8_t>(50 + 70 * fill));
        CHECK(std::count(used.begin(), used.end(), used[0]) == static_cast<int64_t>(size));
      }
      seen.push_back(pixels(decoded_image(bytes)));
    }
    CHECK(seen[0] == seen[1]);
    CHECK(seen[0] == seen[2]);
  }
}

TEST_CASE("image file: time and memory are in proportion to the file") {
  CHECK(refusal(kBegin + kQuantisation + frame(0xC0, 8000, 8000) + kTables + kScan + kEnd)
            .starts_with("the JPEG says that it has 8000x8000 pixels, of which its "));
  std::string many;
  for (int i = 0; i < 101; ++i) many += kScan;
  CHECK(refusal(kBegin + kQuantisation + kFrame + kTables + many + kEnd) ==
        "the JPEG's frames and scans are in no order that it can have");
  const std::string padding = segment(0xFE, std::string(65000, ' '));
  std::string large = kBegin;
  for (int i = 0; i < 3; ++i) large += padding;
  CHECK(refusal(large + kQuantisation + frame(0xC0, 9000, 1000) + kTables + kScan + kEnd) ==
        "it has 9000x1000 pixels, more than 8192 along a side: scale the images down");
  const std::string png = "\x89PNG\r\n\x1a\n" + bytes_of({0, 0, 0, 13}) + "IHDR" +
                          bytes_of({0, 0, 16, 0, 0, 0, 16, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0}) +
                          // Newer versions of stb_image read on to the pixels for an image's size.
                          bytes_of({0, 0, 0, 1}) + "IDAT" + bytes_of({0x78, 0, 0, 0, 0});
  CHECK(refusal(png).starts_with("it says that it has 4096x4096 pixels, of which its "));
}

TEST_CASE("image file: what is no image, or cut short, is one line") {
  const std::string whole = kBegin + kQuantisation + kFrame + kTables + kScan + kEnd;
  CHECK(refusal("GIF89a") == "it is neither PNG nor JPEG");
  CHECK(refusal("") == "it is neither PNG nor JPEG");
  CHECK(refusal(kBegin + kEnd) == "the JPEG has no image");
  CHECK(refusal(kBegin + kScan + kEnd) ==
        "the JPEG's frames and scans are in no order that it can have");
  CHECK(refusal(kBegin + segment(0xF7, "x") + kEnd) ==
        "the JPEG has a marker of an unknown kind, 247");
  for (size_t size = 1; size < whole.size(); ++size) {
    const std::string message = refusal(whole.substr(0, size));
    CHECK(message != "no error");
    CHECK(message.find('\n') == message.npos);
  }
}
