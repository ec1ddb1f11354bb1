#include "apps/landscape/common/figure_flags.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr double kHuge = 1e100;  // as far as an axis may reach

}  // namespace

void PictureFlags::add_to(cli::Options& options, bool linear_by_default) {
  options.flag("log", log, "pictures: logarithmic scale")
      .flag("linear", linear,
            linear_by_default
                ? "pictures: linear scale (the default)"
                : "pictures: linear scale (default: as the range of the losses asks for)")
      .real("vmin", value_min, {-kHuge, kHuge}, "pictures: lowest value of the scale")
      .real("vmax,loss-max", value_max, {-kHuge, kHuge},
            "pictures: values above are off the scale (or --loss-max)")
      .text("title", title, "TEXT", "pictures: title (default: the model)")
      .flag("no-pictures", none, "compute only")
      .exclude("log", "linear", "contradict each other: leave out one of them");
}

void PictureFlags::check() const {
  require(!value_min || !value_max || *value_min < *value_max, "--vmin ", value_min.value_or(0),
          " is not below --vmax ", value_max.value_or(0));
}

PictureOptions PictureFlags::options(std::optional<Scale> scale) const {
  PictureOptions options;
  options.scale = log ? Scale::log : linear ? Scale::linear : scale;
  options.value_min = value_min;
  options.value_max = value_max;
  options.title = title;
  return options;
}

// A line per flag, which clang-format would run together.
// clang-format off
void add_figure_flags(cxxopts::Options& options) {
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* text) { return cxxopts::value<std::string>()->default_value(text); };
  options.add_options()
      ("values", "what to draw of a surface: train_loss, train_acc, lambda_ratio, ... (default: the loss)", string())
      ("log", "logarithmic scale (default: as the range of the values asks for)")
      ("linear", "linear scale")
      ("vmin", "lowest value of the scale", string())
      ("vmax", "highest value of the scale; what is above is cut off and marked", string())
      ("colours", "viridis, magma or cividis", value("viridis"))
      ("interpolate", "heat maps: smooth between the points")
      ("azimuth", "of the camera, in degrees to the right", value("35"))
      ("elevation", "of the camera, 5 to 90 degrees", value("38"))
      ("relief", "height of the scale in three dimensions, in lengths of the longer side", value("0.55"))
      ("title", "of the figures, of several files with semicolons between them", string())
      ("width", "of a figure in px", value("700"))
      ("height", "at most", value("600"));
}
// clang-format on

PictureOptions figure_flags(const cxxopts::ParseResult& flags) {
  PictureOptions options = picture_options(flags, std::nullopt);
  options.title = {};  // title_flag's
  options.look.colours = colour_map_named(flags["colours"].as<std::string>());
  options.look.width = static_cast<int>(cli::whole(flags, "width", 400, 4000));
  options.look.height = static_cast<int>(cli::whole(flags, "height", 300, 4000));
  options.look.azimuth = cli::real(flags, "azimuth", -360, 360);
  options.look.elevation = cli::real(flags, "elevation", 5, 90);
  options.look.relief = cli::real(flags, "relief", 0.05, 3);
  options.look.interpolate = flags.count("interpolate") > 0;
  options.values = cli::text_of(flags, "values");
  return options;
}

std::vector<std::string> title_flag(const cxxopts::ParseResult& flags, size_t files) {
  std::vector<std::string> titles;
  std::istringstream list(cli::text_of(flags, "title"));
  for (std::string title; std::getline(list, title, ';');)
    titles.push_back(title.substr(std::min(title.find_first_not_of(' '), title.size())));
  require(titles.size() <= 1 || titles.size() == files, "--title has ", titles.size(),
          " titles for ", files, " files: one each, with semicolons between them");
  return titles;
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

PictureOptions picture_options(const cxxopts::ParseResult& flags, std::optional<Scale> scale) {
  PictureOptions options;
  options.scale = scale;
  if (flags.count("log")) options.scale = Scale::log;
  if (flags.count("linear")) options.scale = Scale::linear;
  require(flags.count("log") == 0 || flags.count("linear") == 0,
          "--log and --linear contradict each other: leave out one of them");
  if (flags.count("vmin")) options.value_min = cli::real(flags, "vmin", -kHuge, kHuge);
  if (flags.count("vmax")) options.value_max = cli::real(flags, "vmax", -kHuge, kHuge);
  require(!(options.value_min >= options.value_max) || !options.value_max, "--vmin ",
          cli::text_of(flags, "vmin"), " is not below --vmax ", cli::text_of(flags, "vmax"));
  options.title = cli::text_of(flags, "title");
  return options;
}

}  // namespace topograd
