#include "apps/surface_pictures.h"

#include <algorithm>
#include <cmath>

#include "apps/progress.h"
#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr double kHuge = 1e100;  // as far as an axis may reach

std::string get(const Provenance& provenance, const std::string& key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

std::vector<double> plane_or_empty(const Surface& surface, const std::string& name) {
  return surface.has_plane(name) ? surface.plane(name) : std::vector<double>();
}

std::string axis_label(const Surface& surface, const std::string& letter, const std::string& axis) {
  const std::string how = get(surface.provenance, axis + "_direction");
  return how.empty() ? letter : letter + " (" + how + ")";
}

/// Each seed's own curve of a loss.
std::vector<std::vector<double>> singles_of(const Surface& surface, const std::string& loss) {
  std::vector<std::vector<double>> singles;
  for (const auto& [name, values] : surface.planes())
    if (name.starts_with(loss + "_seed")) singles.push_back(values);
  return singles;
}

/// The band around a line's losses: the spread over several seeds, else the standard error.
void add_errors(const Surface& surface, CurveView& curves) {
  const std::string seeds = get(surface.provenance, "seeds");
  const std::string what = seeds.empty() ? "_se" : "_sd";
  curves.train_loss_error = plane_or_empty(surface, "train_loss" + what);
  curves.test_loss_error = plane_or_empty(surface, "test_loss" + what);
  if (seeds.empty()) return;
  curves.error_name = "standard deviation over " + seeds + " directions";
  curves.train_loss_singles = singles_of(surface, "train_loss");
  curves.test_loss_singles = singles_of(surface, "test_loss");
}

/// Logarithmic where the values are above 0 and the largest is more than four times the smallest:
/// even levels would leave the basin empty.
Scale scale_for(const std::vector<double>& values) {
  double low = kHuge, high = 0;
  for (double v : values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  return low > 0 && high > 4 * low ? Scale::log : Scale::linear;
}

FigureOptions figure_options(const Surface& surface, const PictureOptions& options) {
  const Provenance& p = surface.provenance;
  FigureOptions figure;
  figure.title = options.title.empty() ? get(p, "model_name") : options.title;
  const std::string loss =
      get(p, "loss").starts_with("mse") ? "mean squared error" : "cross-entropy";
  figure.subtitle = text(loss, " over ", p.contains("target_se") ? "up to " : "", get(p, "images"),
                         " ", get(p, "data"), " images");
  if (p.contains("subset")) figure.subtitle += text(" (", get(p, "subset"), ")");
  if (p.contains("seeds")) figure.subtitle += text(", mean over ", get(p, "seeds"), " seeds");
  if (!surface.is_line() && surface.has_plane("train_loss") && surface.has_plane("test_loss"))
    figure.subtitle += "; shown: the training images' loss";
  if (!options.unfinished.empty()) figure.subtitle += "; " + options.unfinished;
  figure.note = options.note;
  figure.marks = options.marks;
  figure.x_label = axis_label(surface, "alpha", "x");
  figure.y_label = surface.is_line() ? loss : axis_label(surface, "beta", "y");
  figure.value_label = loss;
  figure.footer = text("model ", get(p, "model_hash"), "  data ", get(p, "data_hash"),
                       "  directions ", get(p, "direction_hash"), "  BatchNorm ", get(p, "bn_mode"),
                       "  ", get(p, "precision"), "  Topograd ", get(p, "version"));
  const std::string plane = surface.has_plane("train_loss") ? "train_loss" : "test_loss";
  figure.scale = options.scale.value_or(scale_for(surface.plane(plane)));
  figure.level_min = options.value_min;
  figure.clip_max = options.value_max;
  figure.level_max = options.value_max;
  return figure;
}

}  // namespace

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

std::string draw_two_curves(const TwoCurves& curves, const Surface& surface,
                            const std::string& path, const PictureOptions& options) {
  FigureOptions figure = figure_options(surface, options);
  figure.x_label = curves.x_label;
  figure.y_label = figure.value_label;
  figure.marks = {};
  std::vector<double> both = curves.first;
  both.insert(both.end(), curves.second.begin(), curves.second.end());
  figure.scale = options.scale.value_or(scale_for(both));
  CurveView view;
  view.x = curves.x;
  view.train_loss = curves.first;
  view.test_loss = curves.second;
  view.train_loss_name = curves.first_name;
  view.test_loss_name = curves.second_name;
  save_figure(curve_figure(view, figure), path);
  return path;
}

std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options) {
  std::vector<std::string> paths;
  FigureOptions figure = figure_options(surface, options);
  if (surface.is_line()) {
    CurveView curves;
    curves.x = surface.x();
    curves.train_loss = plane_or_empty(surface, "train_loss");
    curves.test_loss = plane_or_empty(surface, "test_loss");
    curves.train_accuracy = plane_or_empty(surface, "train_acc");
    curves.test_accuracy = plane_or_empty(surface, "test_acc");
    add_errors(surface, curves);
    for (const char* suffix : {".svg", ".png"}) {
      paths.push_back(stem + "_curves" + suffix);
      save_figure(curve_figure(curves, figure), paths.back());
    }
    return paths;
  }
  const std::string plane = surface.has_plane("train_loss") ? "train_loss" : "test_loss";
  const FieldView field{surface.x(), surface.y(), surface.plane(plane)};
  for (const char* suffix : {".svg", ".png"}) {
    paths.push_back(stem + "_contours" + suffix);
    save_figure(contour_figure(field, figure), paths.back());
    paths.push_back(stem + "_heat" + suffix);
    save_figure(heat_map_figure(field, figure), paths.back());
  }
  return paths;
}

}  // namespace topograd
