// Films: figures of one size, shown one after another.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd {

struct Film {
  std::string title = {};
  std::vector<std::string> labels = {};  ///< the frames' names, one each: "epoch 3"
  /// Makes a frame; all are of one width and height. A relief is large, and so one lives at a time.
  std::function<Figure(size_t frame)> frame = {};
  double frame_seconds = 0.1;  ///< how long a frame stays; GIF knows hundredths
  double last_seconds = 0.1;   ///< the last one, before the film begins anew
  int scale = 1;               ///< pixels for a px: 1 or 2
};

enum class FilmType { gif, html, png };
/// The type of this name, or an Error that lists them.
FilmType film_type_named(const std::string& name);

/// A callback that is told how many frames are drawn; false stops.
using FilmProgress = std::function<bool(int64_t drawn)>;

/// Draws every frame once and writes the film, whole or not at all, to a file of every type:
///   gif   <stem>.gif, which repeats for ever: 255 colours for the whole film, and of each frame
///         only what changes
///   html  <stem>.html, one page with the frames in it, a slider and a button: it needs nothing
///         else
///   png    <stem>_frames/0000.png, 0001.png, ...: for a video encoder
/// Returns their paths, of the frames their folder's; none where it was stopped. Throws Error for
/// frames of several sizes, or none, and for a place that cannot be written.
std::vector<std::string> save_film(const Film& film, const std::string& stem,
                                   const std::vector<FilmType>& types,
                                   const FilmProgress& progress = {});

}  // namespace topograd
