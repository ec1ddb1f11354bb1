#include "apps/landscape/common/figure_flags.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

constexpr double kHuge = 1e100;  // largest end of a scale

}  // namespace

void ScaleFlags::add_to(cli::Options& options, const std::string& what, const std::string& usual) {
  options.flag("log", log, what + "logarithmic scale")
      .flag("linear", linear, what + "linear scale (default: " + usual + ")")
      .exclude("log", "linear", "contradict each other: leave out one of them")
      .real("vmin", lowest, {-kHuge, kHuge}, what + "lowest value of the scale")
      .real("vmax,loss-max", highest, {-kHuge, kHuge},
            what + "highest value of the scale; what is above is cut off and marked");
}

void ScaleFlags::check() const {
  require(!lowest || !highest || *lowest < *highest, "--vmin ",
          cli::Options::number_text(lowest.value_or(0)), " is not below --vmax ",
          cli::Options::number_text(highest.value_or(0)));
  const auto positive = [&](const char* option, const std::optional<double>& end) {
    require(!log || !end || *end > 0, "--log has no place for --", option, ' ',
            cli::Options::number_text(end.value_or(0)), ": choose a positive one, or --linear");
  };
  positive("vmin", lowest);
  positive("vmax", highest);
}

void ScaleFlags::apply_to(PictureOptions& picture) const {
  if (log) picture.scale = Scale::log;
  if (linear) picture.scale = Scale::linear;
  picture.value_min = lowest;
  picture.value_max = highest;
}

void PictureFlags::add_to(cli::Options& options) {
  scale.add_to(options, "pictures: ");
  options.text("title", title, "TEXT", "pictures: title (default: the model)")
      .flag("no-pictures", none, "compute only");
}

PictureOptions PictureFlags::options() const {
  PictureOptions picture;
  picture.scale = std::nullopt;
  scale.apply_to(picture);
  picture.title = title;
  return picture;
}

void ValueFlags::add_to(cli::Options& options) {
  options.group("Values").text(
      "values", values, "NAME",
      "what to draw of a surface: train_loss, train_acc, lambda_ratio, ... (default: the loss)");
  scale.add_to(options);
  options.named("colours", colours, colour_map_named, {"viridis", "magma", "cividis"}, "viridis",
                "from the lowest value to the highest");
}

PictureOptions ValueFlags::picture() const {
  PictureOptions picture;
  picture.scale = std::nullopt;
  scale.apply_to(picture);
  picture.look.colours = colours;
  picture.values = values;
  return picture;
}

void FigureFlags::add_to(cli::Options& options) {
  values.add_to(options);
  options.group("Camera")
      .real("azimuth", look.azimuth, {-360, 360}, "degrees to the right")
      .real("elevation", look.elevation, {5, 90}, "degrees above the plane")
      .real("relief", look.relief, {0.05, 3},
            "height of the scale in three dimensions, in lengths of the longer side");
  options.group("Figure")
      .text("title", titles, "TEXT", "of the figure; of several files with semicolons between them")
      .integer("width", look.width, {400, 4000}, "in px")
      .integer("height", look.height, {300, 4000}, "in px, at most")
      .flag("interpolate", look.interpolate, "heat maps: smooth between the points");
}

PictureOptions FigureFlags::picture() const {
  PictureOptions picture = values.picture();
  const ColourMap colours = picture.look.colours;
  picture.look = look;
  picture.look.colours = colours;
  return picture;
}

std::vector<std::string> FigureFlags::titles_of(size_t files) const {
  if (files == 1) return {titles};
  std::vector<std::string> all;
  TextReader list(titles);
  for (std::string title; std::getline(list, title, ';');)
    all.push_back(title.substr(std::min(title.find_first_not_of(' '), title.size())));
  require(all.size() <= 1 || all.size() == files, "--title has ", all.size(), " titles for ", files,
          " files: one each, with semicolons between them");
  if (all.size() <= 1) all.resize(files, all.empty() ? "" : all.front());
  return all;
}

void share_scale(PictureOptions& options, const std::vector<const Surface*>& surfaces) {
  double low = std::numeric_limits<double>::infinity(), high = -low, positive = low;
  for (const Surface* surface : surfaces)
    for (double v : surface->plane(pictured_values(*surface, options))) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v), high = std::max(high, v);
      if (v > 0) positive = std::min(positive, v);
    }
  require(low <= high, "there are no surfaces with values to share a scale");
  if (!options.scale) options.scale = low > 0 && high > 4 * low ? Scale::log : Scale::linear;
  if (!options.value_min) options.value_min = options.scale == Scale::log ? positive : low;
  if (!options.value_max) options.value_max = high;
}

}  // namespace topograd
