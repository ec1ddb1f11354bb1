// Films: figures of one size, shown one after another.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd {

struct Film {
  std::string title = {};
  std::vector<std::string> labels = {};  ///< a name per frame: "epoch 3"
  /// Makes a frame; all have one width and height. Only one is kept in memory: a relief is large.
  std::function<Figure(size_t frame)> frame = {};
  double frame_seconds = 0.1;  ///< duration of a frame; GIF rounds to hundredths
  double last_seconds = 0.1;   ///< duration of the last frame
  int scale = 1;               ///< pixels for a px: 1 or 2
};

enum class FilmType { gif, html, png };
/// Returns the type of this name. Throws Error, which lists them, for any other.
FilmType film_type_named(const std::string& name);

/// Callback that is told how many frames are drawn; returns false to stop.
using FilmProgress = std::function<bool(int64_t drawn)>;

/// Draws every frame once and writes the film, whole or not at all, to a file of every type:
///   gif   <stem>.gif, which repeats for ever: 255 colours for the whole film, and of each frame
///         only what changes
///   html  <stem>.html, one self-contained page with the frames, a slider and a button
///   png   <stem>_frames/0000.png, 0001.png, ...: for a video encoder
/// Returns the paths of the files and of the folder of frames; none if stopped. Throws Error for
/// frames of several sizes, for no frames, and for a place that cannot be written.
std::vector<std::string> save_film(const Film& film, const std::string& stem,
                                   const std::vector<FilmType>& types,
                                   const FilmProgress& progress = {});

}  // namespace topograd
