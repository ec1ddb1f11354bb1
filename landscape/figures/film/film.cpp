#include "landscape/figures/film/film.h"

#include <cmath>
#include <filesystem>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/figures/canvas/cairo_canvas.h"
#include "landscape/figures/film/film_page.h"
#include "landscape/figures/film/gif.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;
using drawing::Pixels;

constexpr std::pair<FilmType, const char*> kTypes[] = {
    {FilmType::gif, "gif"}, {FilmType::html, "html"}, {FilmType::png, "png"}};

/// Draws at two pixels per px, then halves: a relief has as many samples as a fine page has pixels.
Pixels drawn(const Figure& frame, int scale) {
  const Pixels fine = drawing::painted(frame.width, frame.height, 2, frame.draw);
  return scale == 2 ? fine : halved(fine);
}

std::string save_gif(const Film& film, const std::vector<Pixels>& frames, const std::string& path) {
  std::vector<int> hundredths(frames.size(),
                              static_cast<int>(std::lround(100 * film.frame_seconds)));
  hundredths.back() = static_cast<int>(std::lround(100 * film.last_seconds));
  write_file_atomically(path, drawing::gif_bytes(frames, hundredths));
  return path;
}

std::string save_page(const Film& film, const std::vector<Pixels>& frames,
                      const std::string& path) {
  std::vector<drawing::PageFrame> pages;
  for (size_t f = 0; f < frames.size(); ++f)
    pages.push_back({film.labels[f], drawing::png_bytes(frames[f])});
  write_file_atomically(
      path, drawing::film_page(film.title, pages, {film.frame_seconds, film.last_seconds}));
  return path;
}

/// Returns "FOLDER/0012.png".
std::string numbered(const std::string& folder, size_t frame) {
  const std::string digits = std::to_string(frame);
  return folder + "/" + std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits + ".png";
}

std::string save_pictures(const std::vector<Pixels>& frames, const std::string& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  require(!failure, "cannot create ", folder, ": ", failure.message());
  for (size_t f = 0; f < frames.size(); ++f)
    write_file_atomically(numbered(folder, f), drawing::png_bytes(frames[f]));
  // Remove frames of a longer film that was here before.
  for (size_t f = frames.size(); fs::remove(numbered(folder, f), failure);) ++f;
  return folder;
}

}  // namespace

FilmType film_type_named(const std::string& name) {
  for (const auto& [type, word] : kTypes)
    if (name == word) return type;
  fail("unknown type of film '", name, "': choose gif, html or png");
}

std::vector<std::string> save_film(const Film& film, const std::string& stem,
                                   const std::vector<FilmType>& types,
                                   const FilmProgress& progress) {
  require(!film.labels.empty(), "a film without frames");
  require(film.scale == 1 || film.scale == 2, "a film of ", film.scale,
          " pixels for a px: choose 1 or 2");
  std::vector<Pixels> frames;
  for (size_t f = 0; f < film.labels.size(); ++f) {
    frames.push_back(drawn(film.frame(f), film.scale));
    require(frames[f].width == frames[0].width && frames[f].height == frames[0].height,
            "a film's frames are of one size; here are ", frames[0].width, " by ", frames[0].height,
            " pixels and ", frames[f].width, " by ", frames[f].height);
    if (progress && !progress(static_cast<int64_t>(frames.size()))) return {};
  }
  std::vector<std::string> paths;
  for (const FilmType type : types) {
    if (type == FilmType::gif) paths.push_back(save_gif(film, frames, stem + ".gif"));
    if (type == FilmType::html) paths.push_back(save_page(film, frames, stem + ".html"));
    if (type == FilmType::png) paths.push_back(save_pictures(frames, stem + "_frames"));
  }
  return paths;
}

}  // namespace topograd
