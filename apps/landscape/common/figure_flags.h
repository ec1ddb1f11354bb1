// The options of pictures: scale, colours, camera, titles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "landscape/plots/surface_plots.h"

namespace topograd {

/// Scale of a picture's values.
struct ScaleFlags {
  bool log = false, linear = false;  ///< neither: the picture decides
  std::optional<double> lowest, highest;

  /// Declares --log, --linear, --vmin and --vmax (or --loss-max) in the current group; `what`
  /// stands before the helps, `usual` names the default scale.
  void add_to(cli::Options& options, const std::string& what = "",
              const std::string& usual = "as the range of the values asks for");
  /// Throws Error where --vmin is not below --vmax, or --log has no place for one of them.
  void check() const;
  /// Sets the scale, if one was chosen, and its ends.
  void apply_to(PictureOptions& picture) const;
};

/// Pictures that a command draws of what it computes.
struct PictureFlags {
  bool none = false;  ///< no pictures at all
  ScaleFlags scale;
  std::string title;

  /// Declares the options of ScaleFlags, --title and --no-pictures in the current group.
  void add_to(cli::Options& options);
  void check() const { scale.check(); }
  /// Returns the pictures' options; without --log or --linear, their values decide the scale.
  PictureOptions options() const;
};

/// Values that are drawn, their scale and colours.
struct ValueFlags {
  std::string values;  ///< name of the plane; empty: the loss
  ScaleFlags scale;
  ColourMap colours = ColourMap::viridis;

  /// Declares --values, the options of ScaleFlags, and --colours in the group "Values".
  void add_to(cli::Options& options);
  void check() const { scale.check(); }
  /// Returns the picture's options; without --log or --linear, its values decide the scale.
  PictureOptions picture() const;
};

/// Settings of a figure that do not depend on what it shows.
struct FigureFlags {
  ValueFlags values;
  FigureOptions look;  ///< size, camera, interpolation
  std::string titles;  ///< separated by semicolons

  /// Declares the options of ValueFlags, --azimuth, --elevation and --relief in the group "Camera",
  /// --title, --width, --height and --interpolate in the group "Figure".
  void add_to(cli::Options& options);
  void check() const { values.check(); }
  PictureOptions picture() const;
  /// Returns the title of each of so many files, empty if none was given; of one file as it was
  /// given. Throws Error for several titles that are not as many as the files.
  std::vector<std::string> titles_of(size_t files) const;
};

/// Sets one scale for all surfaces, from the smallest to the largest of their values, unless the
/// options set its ends. Throws Error if there are no values.
void share_scale(PictureOptions& options, const std::vector<const Surface*>& surfaces);

}  // namespace topograd
