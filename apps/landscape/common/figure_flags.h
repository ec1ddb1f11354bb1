// Options of how results look in pictures: the scale, colours, the camera, titles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "landscape/plots/surface_plots.h"

namespace topograd {

/// The scale of a picture's values.
struct ScaleFlags {
  bool log = false, linear = false;  ///< neither: as the picture decides
  std::optional<double> lowest, highest;

  /// Declares --log, --linear, --vmin and --vmax (or --loss-max) in the current group; `what`
  /// stands before the helps, `usual` says which scale it is where neither is given.
  void add_to(cli::Options& options, const std::string& what = "",
              const std::string& usual = "as the range of the values asks for");
  /// Throws Error where --vmin is not below --vmax.
  void check() const;
  /// Sets the scale, where one was chosen, and its ends.
  void apply_to(PictureOptions& picture) const;
};

/// The pictures that a command draws of what it computes.
struct PictureFlags {
  bool none = false;  ///< no pictures at all
  ScaleFlags scale;
  std::string title;

  /// Declares those of ScaleFlags, --title and --no-pictures in the current group.
  void add_to(cli::Options& options, bool linear_by_default);
  void check() const { scale.check(); }
  /// Returns them; `fallback` is the scale where neither --log nor --linear is given.
  PictureOptions options(std::optional<Scale> fallback) const;
};

/// Which values are drawn, on which scale, in which colours.
struct ValueFlags {
  std::string values;  ///< the plane; empty: the loss
  ScaleFlags scale;
  ColourMap colours = ColourMap::viridis;

  /// Declares --values, those of ScaleFlags, and --colours in the group "Values".
  void add_to(cli::Options& options);
  void check() const { scale.check(); }
  /// A picture whose scale is what the values ask for, where none was chosen.
  PictureOptions picture() const;
};

/// Everything about a figure that does not depend on what it shows.
struct FigureFlags {
  ValueFlags values;
  FigureOptions look;  ///< size, camera, interpolation
  std::string titles;  ///< with semicolons between them

  /// Declares those of ValueFlags, --azimuth, --elevation and --relief in the group "Camera",
  /// --title, --width, --height and --interpolate in the group "Figure".
  void add_to(cli::Options& options);
  void check() const { values.check(); }
  PictureOptions picture() const;
  /// The title of each of so many files: empty where none was given. Throws Error where there are
  /// several, and not as many as files.
  std::vector<std::string> titles_of(size_t files) const;
};

/// Sets one scale for all surfaces, from the smallest to the largest of their values, where the
/// options do not say. Throws Error where there are no values.
void share_scale(PictureOptions& options, const std::vector<const Surface*>& surfaces);

}  // namespace topograd
