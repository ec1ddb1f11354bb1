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
  /// stands before the helps.
  void add_to(cli::Options& options, const std::string& what = "");
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
  int film_width = 700, film_height = 600;

  /// Declares the options of ValueFlags, --azimuth, --elevation and --relief in the group "Camera",
  /// --title and --interpolate in the group "Figure".
  void add_to(cli::Options& options);
  /// Declares --width and --height, whole numbers of px, in the current group.
  void add_size(cli::Options& options);
  void check() const { values.check(); }
  PictureOptions picture() const;
  /// Returns the title of each of so many files, empty if none was given; of one file as it was
  /// given. Throws Error for several titles that are not as many as the files.
  std::vector<std::string> titles_of(size_t files) const;
};

/// Look and size of figures on paper, on slides and on screens.
struct PageFlags {
  enum class Style { screen, paper, talk };

  Style style = Style::screen;
  std::optional<double> width, height;  ///< px
  std::optional<double> font_size;      ///< points
  std::string font = kFont;
  std::optional<double> dpi;
  bool transparent = false;
  std::optional<bool> footer;

  /// Declares --style, --width, --height, --font-size, --font, --dpi, --transparent and --footer in
  /// the group "Page".
  void add_to(cli::Options& options);
  /// Sets what the options say, and the style where they say nothing. Throws Error where the width
  /// has no room for letters of that size.
  void apply_to(FigureOptions& look) const;
  FigureFile file() const;
};

/// Returns a length in px: "8.5cm", "85mm", "3.3in", "240pt", "320px", or a number of px. Throws
/// Error, which names the option, for any other word.
double length_in_px(const std::string& option, const std::string& word);

/// Sets one scale for all surfaces, from the smallest to the largest of their values, unless the
/// options set its ends. Throws Error if there are no values.
void share_scale(PictureOptions& options, const std::vector<const Surface*>& surfaces);

}  // namespace topograd
