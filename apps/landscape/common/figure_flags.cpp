#include "apps/landscape/common/figure_flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

constexpr double kHuge = 1e100;  // largest end of a scale

}  // namespace

void ScaleFlags::add_to(cli::Options& options, const std::string& what) {
  options.flag("log", log, what + "logarithmic scale")
      .flag("linear", linear, what + "linear scale (default: as the range of the values asks for)")
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
  scale.apply_to(picture);
  picture.title = title;
  return picture;
}

void ValueFlags::add_to(cli::Options& options) {
  options.group("Values").text(
      "values", values, "NAME",
      "what to draw of a surface: train_loss, train_acc, lambda_ratio, ... (default: the loss)");
  scale.add_to(options);
  options.named("colours", colours, colour_map_named, colour_map_names(), "viridis",
                "from the lowest value to the highest");
}

PictureOptions ValueFlags::picture() const {
  PictureOptions picture;
  scale.apply_to(picture);
  picture.look.colours = colours;
  picture.values = values;
  return picture;
}

void FigureFlags::add_to(cli::Options& options) {
  values.add_to(options);
  options.group("Camera")
      .real("azimuth", look.azimuth, {-360, 360}, "degrees to the right")
      .real("elevation", look.elevation, {5, 90},
            "degrees above the plane (default: 38 or more, until theta* and the minimum are seen; "
            "of films 38)")
      .real("relief", look.relief, {0.05, 3},
            "height of the scale in three dimensions, in lengths of the longer side");
  options.group("Figure")
      .text("title", titles, "TEXT", "of the figure; of several files with semicolons between them")
      .flag("interpolate", look.interpolate, "heat maps: smooth between the points");
}

void FigureFlags::add_size(cli::Options& options) {
  options.integer("width", film_width, {400, 4000}, "in px")
      .integer("height", film_height, {300, 4000}, "in px, at most");
}

PictureOptions FigureFlags::picture() const {
  PictureOptions picture = values.picture();
  const ColourMap colours = picture.look.colours;
  picture.look = look;
  picture.look.colours = colours;
  picture.look.width = film_width;
  picture.look.height = film_height;
  return picture;
}

namespace {

/// Size, letters and texts of a style.
struct StyleDefaults {
  PageFlags::Style style;
  double width, ratio;  ///< px; height to width
  double font_size;     ///< points
  double dpi;
  bool heading, footer;
};
constexpr double kPointsPerPx = 72 / kPxPerInch;
constexpr double kTickPoints = 11 * kPointsPerPx;  // of axes' numbers at zoom 1
constexpr StyleDefaults kStyles[] = {
    {PageFlags::Style::screen, 700, 6.0 / 7, kTickPoints, kUsualDpi, true, true},
    // A column of most journals; their figures have captions, and the paper says the rest.
    {PageFlags::Style::paper, 8.5 / 2.54 * kPxPerInch, 0.78, 7, 300, false, false},
    {PageFlags::Style::talk, 1280, 0.75, 18, kUsualDpi, true, true},
};

const StyleDefaults& defaults_of(PageFlags::Style style) {
  return *std::find_if(std::begin(kStyles), std::end(kStyles),
                       [&](const StyleDefaults& defaults) { return defaults.style == style; });
}

}  // namespace

double length_in_px(const std::string& option, const std::string& word) {
  constexpr std::pair<const char*, double> kUnits[] = {
      {"cm", kPxPerInch / 2.54},
      {"mm", kPxPerInch / 25.4},
      {"in", kPxPerInch},
      {"pt", kPxPerInch / 72},
      {"px", 1},
  };
  std::string number = word;
  double px = 1;
  for (const auto& [unit, length] : kUnits)
    if (word.ends_with(unit)) {
      number = word.substr(0, word.size() - 2);
      px = length;
    }
  double value = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), value);
  require(problem == std::errc() && end == number.data() + number.size() && std::isfinite(value) &&
              value > 0,
          "--", option, ' ', word, " is no length: write 8.5cm, 85mm, 3.3in, 240pt or 320px");
  return value * px;
}

void PageFlags::add_to(cli::Options& options) {
  const auto length = [](std::optional<double>& target) {
    return [&target](const std::string& option, const std::string& word) {
      const double px = length_in_px(option, word);
      require(px >= 120 && px <= 8000, "--", option, ' ', word, ": choose 120 to 8000 px");
      target = px;
    };
  };
  options.group("Page")
      .choice("style", style,
              {{"screen", Style::screen}, {"paper", Style::paper}, {"talk", Style::talk}},
              "screen: 700 px wide; paper: a column of 8.5 cm, letters of 7 points, no heading "
              "but --title, no footer; talk: 1280 px, letters of 18 points")
      .value("width", "LENGTH", "of each figure: 8.5cm, 85mm, 3.3in, 240pt, or px", "",
             length(width))
      .value("height", "LENGTH", "of each figure, at most", "", length(height))
      .real("font-size", font_size, {2, 200}, "of axes' numbers, in points; all else follows")
      .text("font", font, "FAMILY", "of the letters; .tex has the document's")
      .real("dpi", dpi, {36, 2400},
            "pixels to the inch of PNG, and of fields in all formats but .tex (default: 192; paper "
            "300)")
      .flag("transparent", transparent, "nothing behind the figure, not white")
      .value("footer", "on|off", "provenance below the figure", "on; paper: off",
             [this](const std::string& option, const std::string& word) {
               require(word == "on" || word == "off", "--", option, ' ', word,
                       ": choose on or off");
               footer = word == "on";
             });
}

void PageFlags::apply_to(FigureOptions& look) const {
  const StyleDefaults& usual = defaults_of(style);
  look.width = width.value_or(usual.width);
  look.height = height.value_or(usual.ratio * look.width);
  look.zoom = font_size.value_or(usual.font_size) / kTickPoints;
  look.font = font;
  look.dpi = file().dpi;
  look.with_title = look.with_subtitle = usual.heading;
  look.with_footer = footer.value_or(usual.footer);
}

FigureFile PageFlags::file() const {
  return {dpi.value_or(defaults_of(style).dpi), transparent};
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
  std::vector<double> all;
  for (const Surface* surface : surfaces)
    for (double v : drawn_plane(*surface, pictured_values(*surface, options))) {
      if (!std::isfinite(v)) continue;
      all.push_back(v);
      low = std::min(low, v), high = std::max(high, v);
      if (v > 0) positive = std::min(positive, v);
    }
  require(low <= high, "there are no surfaces with values to share a scale");
  // Percents stay linear, as in a figure of their own.
  const bool percents = pictured_values(*surfaces.front(), options).ends_with("_acc");
  if (!options.scale) options.scale = percents ? Scale::linear : usual_scale(all);
  if (!options.value_min) options.value_min = options.scale == Scale::log ? positive : low;
  if (!options.value_max) options.value_max = high;
}

}  // namespace topograd
