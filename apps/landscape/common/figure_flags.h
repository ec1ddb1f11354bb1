// Flags that say how results look: of landscape plot and animate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/options.h"
#include "landscape/plots/surface_plots.h"

namespace topograd {

/// What a command's own pictures look like.
struct PictureFlags {
  bool none = false;  ///< no pictures at all
  bool log = false, linear = false;
  std::optional<double> value_min, value_max;
  std::string title;

  /// Declares --log, --linear, --vmin, --vmax, --title and --no-pictures in the current group.
  void add_to(cli::Options& options, bool linear_by_default);
  /// Throws Error where the scale's ends are the wrong way round.
  void check() const;
  /// Returns them; `scale` where neither --log nor --linear is given.
  PictureOptions options(std::optional<Scale> scale) const;
};

/// --values, --log, --linear, --vmin, --vmax, --colours, --interpolate, --azimuth, --elevation,
/// --relief, --width and --height.
void add_figure_flags(cxxopts::Options& options);

/// What they say; a scale and its ends where they do.
PictureOptions figure_flags(const cxxopts::ParseResult& flags);

/// The titles of --title, with semicolons between them: none, one for all, or one for each of
/// `files`.
std::vector<std::string> title_flag(const cxxopts::ParseResult& flags, size_t files);

/// One scale for all surfaces: from the smallest to the largest of their values where the options
/// do not say. An Error where there are no values.
void share_scale(PictureOptions& options, const std::vector<const Surface*>& surfaces);

/// --log, --linear, --vmin, --vmax and --title; `scale` where neither of the first two is there.
PictureOptions picture_options(const cxxopts::ParseResult& flags, std::optional<Scale> scale);

}  // namespace topograd
