#include "landscape/figures/film/gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "kernels/core/check.h"
#include "landscape/figures/film/palette.h"

namespace topograd::drawing {

namespace {

constexpr int kColours = 256;
constexpr uint8_t kUnchanged = kColours - 1;  // the entry that lets the frame before show through

class Writer {
 public:
  /// Appends to `bytes`, which must outlive it.
  explicit Writer(std::string& bytes) {
    int error = 0;
    const auto append = [](GifFileType* file, const GifByteType* from, int count) {
      static_cast<std::string*>(file->UserData)
          ->append(reinterpret_cast<const char*>(from), static_cast<size_t>(count));
      return count;
    };
    file_ = EGifOpen(&bytes, append, &error);
    require(file_ != nullptr, reason(error));
    EGifSetGifVersion(file_, true);
  }
  ~Writer() {
    if (file_ != nullptr) EGifCloseFile(file_, nullptr);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void begin(int width, int height, const std::vector<uint32_t>& colours) {
    const std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)> map(
        GifMakeMapObject(kColours, nullptr), GifFreeMapObject);
    require(map != nullptr, "no memory for its colours");
    for (size_t i = 0; i < colours.size(); ++i)
      map->Colors[i] = {static_cast<GifByteType>(colours[i] >> 16),
                        static_cast<GifByteType>(colours[i] >> 8),
                        static_cast<GifByteType>(colours[i])};
    check(EGifPutScreenDesc(file_, width, height, 8, 0, map.get()));
    // Netscape's extension: repeat for ever.
    const std::array<uint8_t, 3> forever = {1, 0, 0};
    check(EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(file_, 11, "NETSCAPE2.0"));
    check(EGifPutExtensionBlock(file_, static_cast<int>(forever.size()), forever.data()));
    check(EGifPutExtensionTrailer(file_));
  }

  /// Appends a frame; `indices` of the rectangle, row after row.
  void add(int left, int top, int width, std::vector<uint8_t>& indices, int hundredths) {
    const GraphicsControlBlock control = {.DisposalMode = DISPOSE_DO_NOT,
                                          .UserInputFlag = false,
                                          .DelayTime = hundredths,
                                          .TransparentColor = kUnchanged};
    std::array<GifByteType, 4> bytes = {};
    const auto size = EGifGCBToExtension(&control, bytes.data());
    check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, static_cast<int>(size), bytes.data()));
    const int height = static_cast<int>(indices.size()) / width;
    check(EGifPutImageDesc(file_, left, top, width, height, false, nullptr));
    for (int row = 0; row < height; ++row)
      check(EGifPutLine(file_, indices.data() + int64_t{row} * width, width));
  }

  void end() {
    int error = 0;
    GifFileType* file = std::exchange(file_, nullptr);
    require(EGifCloseFile(file, &error) == GIF_OK, reason(error));
  }

 private:
  static std::string reason(int error) {
    const char* words = GifErrorString(error);
    return words == nullptr ? "giflib cannot write it" : words;
  }
  void check(int status) const { require(status == GIF_OK, reason(file_->Error)); }

  GifFileType* file_;
};

/// Rectangle of a frame that differs from the one before.
struct Change {
  int left = 0, top = 0, right = 0, bottom = 0;  // right and bottom are exclusive
};

Change change(const std::vector<uint8_t>& before, const std::vector<uint8_t>& now, int width) {
  const int height = static_cast<int>(now.size()) / width;
  Change found{width, height, 0, 0};
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const auto i =
          static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column);
      if (before[i] == now[i]) continue;
      found.left = std::min(found.left, column), found.right = std::max(found.right, column + 1);
      found.top = std::min(found.top, row), found.bottom = row + 1;
    }
  // A frame must have a pixel, even where nothing changes.
  if (found.right == 0) return {0, 0, 1, 1};
  return found;
}

}  // namespace

std::string gif_bytes(const std::vector<Pixels>& frames, const std::vector<int>& hundredths) {
  const int width = frames.at(0).width, height = frames[0].height;
  require(width <= 65535 && height <= 65535, width, " by ", height,
          " pixels: GIF has 65535 at most");
  require(hundredths.size() == frames.size(), frames.size(), " frames last ", hundredths.size(),
          " times");
  Palette palette;
  for (const Pixels& frame : frames) {
    require(frame.width == width && frame.height == height, "frames of several sizes");
    palette.count(frame.values);
  }
  palette.choose(kColours - 1);
  std::string bytes;
  Writer writer(bytes);
  writer.begin(width, height, palette.colours());
  std::vector<uint8_t> before(frames[0].values.size(), kUnchanged), now(before.size());
  for (size_t f = 0; f < frames.size(); ++f) {
    for (size_t i = 0; i < now.size(); ++i) now[i] = palette.index_of(frames[f].values[i]);
    const Change part = change(before, now, width);
    std::vector<uint8_t> indices;
    for (int row = part.top; row < part.bottom; ++row)
      for (int column = part.left; column < part.right; ++column) {
        const auto i =
            static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column);
        indices.push_back(before[i] == now[i] ? kUnchanged : now[i]);
      }
    writer.add(part.left, part.top, part.right - part.left, indices, hundredths[f]);
    std::swap(before, now);
  }
  writer.end();
  return bytes;
}

}  // namespace topograd::drawing
