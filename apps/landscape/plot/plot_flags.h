// The options of landscape plot.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/landscape/common/figure_flags.h"

namespace topograd {

struct PlotFlags {
  std::vector<std::string> files;
  std::set<std::string> named;  ///< words of the command line; other files were found in folders
  std::vector<PictureKind> kinds = {PictureKind::contours, PictureKind::heat, PictureKind::surface};
  std::string output;  ///< file of a figure, or beginning of the files' names; may be empty
  std::vector<std::string> types = {"svg", "png"};
  bool same_scale = false;
  int columns = 0;  ///< figures per row; 0: all
  FigureFlags figure;

  void add_to(cli::Options& options);
  /// Throws Error if nothing is to be drawn, or --type is no type of a file.
  void check();
};

/// Returns the type of a figure's file by its suffix: svg, png or pdf; empty for any other.
std::string figure_type_of(const std::string& path);

}  // namespace topograd
