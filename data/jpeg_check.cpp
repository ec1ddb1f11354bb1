#include "data/jpeg_check.h"

#include <cstdint>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Markers: the byte behind 0xFF.
enum Marker : int {
  kBaselineFrame = 0xC0,
  kExtendedFrame = 0xC1,
  kProgressiveFrame = 0xC2,
  kHuffmanTables = 0xC4,
  kFirstRestart = 0xD0,
  kLastRestart = 0xD7,
  kImageBegins = 0xD8,
  kImageEnds = 0xD9,
  kScan = 0xDA,
  kQuantisationTables = 0xDB,
  kLines = 0xDC,
  kRestartInterval = 0xDD,
  kFirstApplication = 0xE0,
  kLastApplication = 0xEF,
  kComment = 0xFE,
};

/// Symbols of a table: stb_image numbers them in a byte, of which 255 means "none". Eight-bit
/// images need no more than 176.
constexpr int kMostSymbols = 255;
constexpr int kLongestCode = 16;  // bits
/// Scans: a progressive image has about ten. Each is a pass over the whole image, however few its
/// bytes.
constexpr int kMostScans = 100;
/// Pixels for a byte: of each 8x8 block at least one bit is coded.
constexpr int64_t kPixelsPerByte = 8 * 64;

/// The bytes, from front to end.
class JpegBytes {
 public:
  explicit JpegBytes(std::string_view bytes) : bytes_(bytes) {}

  bool ended() const { return bytes_.empty(); }
  int next() {
    require(!ended(), "the JPEG ends too soon");
    const auto byte = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  int next_two() {
    const int high = next();
    return high << 8 | next();
  }
  /// Returns the bytes of a segment, without the two of its length.
  JpegBytes segment() {
    const int length = next_two();
    require(length >= 2 && at_least(length - 2), "a JPEG segment is longer than the file");
    const auto size = static_cast<size_t>(length - 2);
    const JpegBytes contents(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return contents;
  }
  void skip(int count) {
    require(at_least(count), "a JPEG segment ends too soon");
    bytes_.remove_prefix(static_cast<size_t>(count));
  }
  /// Returns the next marker; other bytes, which some cameras leave there, are skipped.
  int marker() {
    while (next() != 0xFF) {
    }
    int code = next();
    while (code == 0xFF) code = next();
    return code;
  }
  /// Returns the marker at the end of a scan's data, in which 0xFF 0x00 stands for 0xFF.
  int marker_after_scan() {
    int code = marker();
    while (code == 0 || (code >= kFirstRestart && code <= kLastRestart)) code = marker();
    return code;
  }

 private:
  bool at_least(int count) const { return static_cast<int64_t>(bytes_.size()) >= count; }

  std::string_view bytes_;
};

void check_huffman_tables(JpegBytes segment) {
  while (!segment.ended()) {
    segment.next();  // which table: stb_image checks it
    int symbols = 0;
    int free_codes = 1;  // of the present length, behind those that are taken
    for (int length = 1; length <= kLongestCode; ++length) {
      const int count = segment.next();
      symbols += count;
      free_codes = 2 * free_codes - count;
      require(free_codes >= 0, "a Huffman table of the JPEG has more codes than there can be");
    }
    require(symbols <= kMostSymbols, "a Huffman table of the JPEG has ", symbols, " symbols");
    segment.skip(symbols);
  }
}

void check_frame(JpegBytes segment, size_t file_size) {
  segment.next();  // bits of a value
  const int64_t height = segment.next_two(), width = segment.next_two();
  require(width * height <= kPixelsPerByte * static_cast<int64_t>(file_size),
          "the JPEG says that it has ", width, "x", height, " pixels, of which its ", file_size,
          " bytes cannot tell");
}

bool is_frame(int marker) {
  return marker == kBaselineFrame || marker == kExtendedFrame || marker == kProgressiveFrame;
}

/// Returns whether it is a marker with a segment that stb_image skips or reads without a table of
/// codes.
bool is_other_segment(int marker) {
  return marker == kQuantisationTables || marker == kLines || marker == kRestartInterval ||
         marker == kComment || (marker >= kFirstApplication && marker <= kLastApplication);
}

}  // namespace

void check_jpeg(std::string_view bytes) {
  JpegBytes rest(bytes);
  require(rest.marker() == kImageBegins, "it is no JPEG");
  int frames = 0, scans = 0;
  for (int marker = rest.marker(); marker != kImageEnds;) {
    JpegBytes segment = rest.segment();
    if (is_frame(marker)) {
      check_frame(segment, bytes.size());
      ++frames;
    } else if (marker == kHuffmanTables) {
      check_huffman_tables(segment);
    } else if (marker == kScan) {
      ++scans;
    } else {
      require(is_other_segment(marker), "the JPEG has a marker of an unknown kind, ", marker);
    }
    require(frames <= 1 && scans <= kMostScans && (frames == 1 || scans == 0),
            "the JPEG's frames and scans are in no order that it can have");
    marker = marker == kScan ? rest.marker_after_scan() : rest.marker();
  }
  require(scans > 0, "the JPEG has no image");
}

}  // namespace topograd
