// Films, read back by giflib and by their own words.
#include <doctest/doctest.h>
#include <gif_lib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/canvas/markup.h"
#include "landscape/figures/film/film.h"
#include "landscape/figures/film/film_scale.h"
#include "landscape/figures/film/gif.h"
#include "landscape/figures/film/palette.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
using drawing::Palette;
using drawing::Pixels;

namespace {

constexpr uint32_t kWhitePixel = 0xFFFFFFFF, kRed = 0xFFFF0000, kBlue = 0xFF0000FF;

Pixels filled(int width, int height, uint32_t colour) {
  return {.width = width,
          .height = height,
          .values = std::vector<uint32_t>(static_cast<size_t>(width * height), colour)};
}

struct Shown {
  std::vector<uint32_t> pixels;  ///< of the whole screen
  int hundredths;
  int left, top, width, height;  ///< what the file has of it
};

/// What a viewer shows of a GIF, frame after frame.
class ShownGif {
 public:
  explicit ShownGif(std::string bytes) : bytes_(std::move(bytes)) {
    int error = 0;
    const auto read = [](GifFileType* file, GifByteType* to, int count) {
      auto* self = static_cast<ShownGif*>(file->UserData);
      const size_t n = std::min(static_cast<size_t>(count), self->bytes_.size() - self->at_);
      std::copy_n(self->bytes_.data() + self->at_, n, reinterpret_cast<char*>(to));
      self->at_ += n;
      return static_cast<int>(n);
    };
    GifFileType* file = DGifOpen(this, read, &error);
    REQUIRE(file != nullptr);
    REQUIRE(DGifSlurp(file) == GIF_OK);
    width = file->SWidth, height = file->SHeight;
    std::vector<uint32_t> screen(static_cast<size_t>(width * height), 0);
    for (int f = 0; f < file->ImageCount; ++f) show(*file, f, screen);
    DGifCloseFile(file, &error);
  }

  std::vector<Shown> frames;
  int width = 0, height = 0;

 private:
  void show(GifFileType& file, int number, std::vector<uint32_t>& screen) {
    const SavedImage& image = file.SavedImages[number];
    const GifImageDesc& part = image.ImageDesc;
    GraphicsControlBlock control{};
    REQUIRE(DGifSavedExtensionToGCB(&file, number, &control) == GIF_OK);
    for (int row = 0; row < part.Height; ++row)
      for (int column = 0; column < part.Width; ++column) {
        const int index = image.RasterBits[row * part.Width + column];
        if (index == control.TransparentColor) continue;
        const GifColorType& c = file.SColorMap->Colors[index];
        screen[static_cast<size_t>((part.Top + row) * width + part.Left + column)] =
            0xFF000000U | static_cast<uint32_t>(c.Red << 16 | c.Green << 8 | c.Blue);
      }
    frames.push_back({screen, control.DelayTime, part.Left, part.Top, part.Width, part.Height});
  }

  std::string bytes_;
  size_t at_ = 0;
};

int channel(uint32_t pixel, int shift) {
  return static_cast<int>(pixel >> shift & 255U);
}

int difference(uint32_t a, uint32_t b) {
  int most = 0;
  for (int shift : {0, 8, 16})
    most = std::max(most, std::abs(channel(a, shift) - channel(b, shift)));
  return most;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Frames with a bar that grows from the left.
Film growing_bar(size_t frames) {
  Film film{.title = "a <film>", .frame_seconds = 0.25, .last_seconds = 2};
  for (size_t f = 0; f < frames; ++f) film.labels.push_back("step \"" + std::to_string(f) + "\"");
  film.frame = [](size_t f) {
    return Figure{.width = 400, .height = 300, .draw = [f](drawing::Canvas& canvas) {
                    const drawing::Rect bar{0, 100, 40.0 * static_cast<double>(f + 1), 50};
                    canvas.fill({bar.outline()}, {1, 0, 0, 1});
                  }};
  };
  return film;
}

}  // namespace

TEST_CASE("palette: few colours are kept as they are, many are near") {
  Palette few;
  few.count({kWhitePixel, kRed, kBlue, kRed, 0xFF000000});
  few.choose(256);
  CHECK(few.colours().size() == 4);
  for (uint32_t pixel : {kWhitePixel, kRed, kBlue, 0xFF000000U})
    CHECK(few.colours()[few.index_of(pixel)] == (pixel & 0xFFFFFFU));

  // A plane of 128 by 128 colours, a quarter of them white.
  std::vector<uint32_t> plane;
  for (uint32_t a = 0; a < 128; ++a)
    for (uint32_t b = 0; b < 128; ++b) {
      plane.push_back(0xFF000000U | a << 17 | b << 9 | 0x40);
      if ((a + b) % 3 == 0) plane.push_back(kWhitePixel);
    }
  Palette many;
  many.count(plane);
  many.choose(255);
  CHECK(many.colours().size() == 255);
  int worst = 0;
  for (uint32_t pixel : plane)
    worst = std::max(worst, difference(many.colours()[many.index_of(pixel)], pixel));
  // 254 boxes on a plane of 256 by 256: 16 to a side, of 16.
  CHECK(worst <= 20);
  CHECK(many.colours()[many.index_of(kWhitePixel)] == 0xFFFFFF);
}

TEST_CASE("gif: every frame is shown as it is, and only what changes is stored") {
  Pixels first = filled(61, 37, kWhitePixel), second = first;
  for (int column = 5; column < 17; ++column)
    second.values[static_cast<size_t>(20 * 61 + column)] = kBlue;
  const ShownGif film(
      drawing::gif_bytes({first, second, second, filled(61, 37, kRed)}, {10, 7, 7, 99}));
  CHECK(film.width == 61);
  CHECK(film.height == 37);
  REQUIRE(film.frames.size() == 4);
  CHECK(film.frames[0].pixels == first.values);
  CHECK(film.frames[1].pixels == second.values);
  CHECK(film.frames[2].pixels == second.values);
  CHECK(film.frames[3].pixels == filled(61, 37, kRed).values);
  CHECK(film.frames[0].hundredths == 10);
  CHECK(film.frames[3].hundredths == 99);
  CHECK(film.frames[1].left == 5);
  CHECK(film.frames[1].top == 20);
  CHECK(film.frames[1].width == 12);
  CHECK(film.frames[1].height == 1);
  CHECK(film.frames[2].width == 1);
}

TEST_CASE("gif: one pixel; frames of several sizes and too few times are refused") {
  const ShownGif one(drawing::gif_bytes({filled(1, 1, kBlue)}, {3}));
  CHECK(one.frames.at(0).pixels == std::vector<uint32_t>{kBlue});
  CHECK(error_of([] {
          drawing::gif_bytes({filled(2, 2, kRed), filled(3, 2, kRed)}, {1, 1});
        }) == "frames of several sizes");
  CHECK_THROWS_AS(drawing::gif_bytes({filled(2, 2, kRed)}, {1, 2}), Error);
}

TEST_CASE("pixels: halved, each is the mean of four") {
  Pixels odd{.width = 3, .height = 3, .values = {}};
  for (uint32_t v : {10U, 20U, 99U, 30U, 42U, 99U, 99U, 99U, 99U}) odd.values.push_back(v << 8);
  const Pixels half = drawing::halved(odd);
  CHECK(half.width == 1);
  CHECK(half.height == 1);
  CHECK(half.values == std::vector<uint32_t>{26U << 8});  // 25.5
}

TEST_CASE("film: a file of each type, with every frame") {
  TemporaryFolder folder;
  int64_t told = 0;
  const std::vector<std::string> paths =
      save_film(growing_bar(4), folder.file("bar"), {FilmType::gif, FilmType::html, FilmType::png},
                [&](int64_t drawn) { return drawn == ++told; });
  CHECK(told == 4);
  CHECK(paths == std::vector<std::string>{folder.file("bar.gif"), folder.file("bar.html"),
                                          folder.file("bar_frames")});
  const ShownGif gif(contents(paths[0]));
  REQUIRE(gif.frames.size() == 4);
  CHECK(gif.width == 400);
  for (size_t f = 0; f < 4; ++f) {
    const auto at = [&](size_t x) { return gif.frames[f].pixels[120 * 400 + x]; };
    CHECK(at(40 * f + 20) == kRed);
    CHECK(at(40 * f + 60) == kWhitePixel);
    CHECK(gif.frames[f].hundredths == (f == 3 ? 200 : 25));
  }
  const std::string page = contents(paths[1]);
  CHECK(page.find("<title>a &lt;film&gt;</title>") != std::string::npos);
  CHECK(page.find("alt=\"step &quot;3&quot;\"") != std::string::npos);
  for (int f = 0; f < 4; ++f) {
    const std::string png = contents(folder.file("bar_frames/000" + std::to_string(f) + ".png"));
    CHECK(page.find(base64(png)) != std::string::npos);
  }
  CHECK(page.find("http") == std::string::npos);
}

TEST_CASE("film: a shorter one leaves no frames of a longer one") {
  TemporaryFolder folder;
  save_film(growing_bar(3), folder.file("bar"), {FilmType::png});
  save_film(growing_bar(2), folder.file("bar"), {FilmType::png});
  CHECK(!std::filesystem::exists(folder.file("bar_frames/0002.png")));
  CHECK(std::filesystem::exists(folder.file("bar_frames/0001.png")));
}

TEST_CASE("film: a frame far from the others does not set the scale of all") {
  using Apart = std::vector<bool>;
  // An epoch at 300 among some around 3, and one that falls to a ten-thousandth.
  CHECK(frames_apart({{1, 2}, {0.9, 3}, {0.8, 300}, {0.7, 4}, {1e-4, 3.5}}) ==
        Apart{false, false, true, false, true});
  // What grows or falls steadily is all within, whatever the decades.
  CHECK(frames_apart({{1, 2}, {0.1, 6}, {1e-2, 20}, {1e-3, 70}, {1e-4, 200}}) == Apart(5));
  // Within a factor of two nothing is apart, however alike the others are.
  CHECK(frames_apart({{1, 2}, {1, 2}, {1, 2}, {0.51, 3.9}}) == Apart(4));
  CHECK(frames_apart({{1, 2}, {1, 2}, {1, 2}, {0.49, 2}}) == Apart{false, false, false, true});
  CHECK(frames_apart({{1, 2}, {1, 2}, {1, 2}, {1, 4.1}}) == Apart{false, false, false, true});
  // Around 0 the frames' extent is the measure.
  CHECK(frames_apart({{-1, 1}, {-1, 1.5}, {-1, 9}, {-9, 1}}) == Apart{false, false, true, true});
  CHECK(frames_apart({{-1, 1}, {-1, 2.9}, {-2.9, 1}, {-1, 1}}) == Apart(4));
  // Two frames have no others.
  CHECK(frames_apart({{1, 2}, {1, 300}}) == Apart(2));
}

TEST_CASE("film: stopped, it leaves nothing; what cannot be filmed is refused in words") {
  TemporaryFolder folder;
  CHECK(save_film(growing_bar(9), folder.file("bar"), {FilmType::gif}, [](int64_t drawn) {
          return drawn < 2;
        }).empty());
  CHECK(error_of([&] { save_film({}, folder.file("bar"), {FilmType::gif}); }) ==
        "a film without frames");
  Film uneven = growing_bar(2);
  uneven.frame = [](size_t f) {
    return Figure{.width = 400 + 10 * static_cast<int>(f), .height = 300, .draw = [](auto&) {}};
  };
  CHECK(error_of([&] {
          save_film(uneven, folder.file("bar"), {FilmType::gif});
        }).find("a film's frames are of one size") == 0);
  Film coarse = growing_bar(2);
  coarse.scale = 3;
  CHECK_THROWS_AS(save_film(coarse, folder.file("bar"), {FilmType::gif}), Error);
  CHECK(error_of([&] {
          save_film(growing_bar(2), folder.file("no/bar"), {FilmType::gif});
        }).find("cannot write " + folder.file("no/bar.gif")) == 0);
  CHECK(error_of([] { film_type_named("mp4"); }) ==
        "unknown type of film 'mp4': choose gif, html or png");
  CHECK(folder.files() == 0);
}
