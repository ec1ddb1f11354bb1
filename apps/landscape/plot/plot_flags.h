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
  std::vector<PictureKind> kinds = default_kinds();
  bool kinds_typed = false;  ///< --kind was given
  std::string output;        ///< file of a figure, or beginning of the files' names; may be empty
  std::vector<std::string> types = {"svg", "png"};
  bool same_scale = false;
  int columns = 0;                      ///< figures per row; 0: all
  std::optional<std::string> data_out;  ///< CSV file of the numbers behind the figures
  FigureFlags figure;
  PageFlags page;

  void add_to(cli::Options& options);
  /// Throws Error if nothing is to be drawn, or --type or --output is no type of a file.
  void check(const cli::Options& options);
  /// Returns the options of the figures but for their titles.
  PictureOptions picture() const;
};

}  // namespace topograd
