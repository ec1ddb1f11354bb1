// The options of landscape animate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/landscape/common/figure_flags.h"
#include "landscape/figures/film/film.h"

namespace topograd {

struct AnimateFlags {
  std::vector<std::string> files;  ///< surfaces, or one folder of them
  std::optional<double> turn;      ///< degrees that the camera turns; empty: surfaces one by one
  int frames = 48;                 ///< frames of a turn
  PictureKind kind = PictureKind::surface;
  std::optional<std::string> output;  ///< file of one film, or the beginning of files' names
  std::vector<FilmType> types = {FilmType::gif, FilmType::html};
  std::optional<double> seconds;  ///< duration of a frame
  int scale = 1;                  ///< pixels for a px
  FigureFlags figure;

  void add_to(cli::Options& options);
  /// Throws Error if there are no files, or --turn has nothing to go around.
  void check() const;
};

}  // namespace topograd
