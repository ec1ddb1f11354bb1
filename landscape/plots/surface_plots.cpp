#include "landscape/plots/surface_plots.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "kernels/core/check.h"
#include "kernels/loss/loss_function.h"
#include "landscape/figures/scale.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

std::vector<double> plane_or_empty(const Surface& surface, const std::string& name) {
  return surface.has_plane(name) ? drawn_plane(surface, name) : std::vector<double>();
}

bool is_accuracy(const std::string& plane) {
  return plane.ends_with("_acc");
}

/// Returns the places of networks on a line that leads from one to another.
std::vector<double> guides_of(const Surface& line) {
  const bool joins = value_of(line.provenance, "x_direction").starts_with("towards");
  return joins ? std::vector<double>{0, 1} : std::vector<double>{0};
}

std::string axis_label(const Surface& surface, const std::string& letter, const std::string& axis) {
  const std::string how = value_of(surface.provenance, axis + "_direction");
  return how.empty() ? letter : letter + " (" + how + ")";
}

/// Returns each seed's own curve of a loss.
std::vector<std::vector<double>> singles_of(const Surface& surface, const std::string& loss) {
  std::vector<std::vector<double>> singles;
  for (const auto& [name, values] : surface.planes())
    if (name.starts_with(loss + "_seed")) singles.push_back(values);
  return singles;
}

/// Returns the losses and accuracies of a line. The band around a loss is the spread over several
/// seeds, else the standard error.
CurveView losses_and_accuracies(const Surface& line) {
  const std::string seeds = value_of(line.provenance, "seeds");
  CurveView curves{.x = line.x(), .guides = guides_of(line), .to_do = to_do_mask(line)};
  if (!seeds.empty()) curves.error_name = "standard deviation over " + seeds + " directions";
  for (const std::string set : {"train", "test"}) {
    const std::string loss = set + "_loss";
    const auto style = set == "train" ? Series::Style::solid : Series::Style::dashed;
    curves.series.push_back({.name = set + " loss",
                             .values = plane_or_empty(line, loss),
                             .errors = plane_or_empty(line, loss + (seeds.empty() ? "_se" : "_sd")),
                             .style = style});
    if (!seeds.empty()) curves.series.back().singles = singles_of(line, loss);
    curves.series.push_back({.name = set + " accuracy",
                             .values = plane_or_empty(line, set + "_acc"),
                             .axis = Series::Axis::right,
                             .style = style});
  }
  return curves;
}

/// Returns what the losses of a surface are called, in their order: "cross-entropy", "Huber loss
/// (0.5)". What a file says that is no loss stays as it is.
std::vector<std::string> loss_titles(const Provenance& p) {
  std::vector<std::string> titles;
  TextReader in(value_of(p, "loss"));
  for (std::string word; std::getline(in, word, ',');) try {
      titles.push_back(title_of(loss_named(word)));
    } catch (const Error&) {
      titles.push_back(word);
    }
  if (titles.empty()) titles.push_back(title_of(Loss()));
  return titles;
}

/// Returns the title of the loss that a plane holds, or belongs to: of <set>_loss_<name> the loss of
/// this name, of all others the first.
std::string loss_title(const Provenance& p, const std::string& plane) {
  const std::vector<std::string> titles = loss_titles(p);
  TextReader in(value_of(p, "loss"));
  size_t i = 0;
  for (std::string word; std::getline(in, word, ','); ++i)
    if (i > 0 && plane.find(text("_loss_", word.substr(0, word.find(':')))) != std::string::npos)
      return titles[i];
  return titles.front();
}

std::string with_spaces(std::string words) {
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

/// Returns what a plane's numbers are, for the label of an axis or a colour bar.
std::string plane_label(const std::string& plane, const std::string& loss) {
  static const std::map<std::string, std::string> kKnown = {
      {"lambda_ratio", "|smallest / largest eigenvalue|"},
      {"lambda_max", "largest eigenvalue"},
      {"lambda_min", "smallest eigenvalue"},
      {"gradient_norm", "norm of the gradient"},
      {"coherence_cosine", "mean cosine of two minibatches' gradients"},
      {"coherence_snr", "signal-to-noise ratio of a minibatch's gradient"},
  };
  const auto known = kKnown.find(plane);
  if (known != kKnown.end()) return known->second;
  if (is_accuracy(plane))
    return text(with_spaces(plane.substr(0, plane.size() - 4)), " accuracy (%)");
  for (const char* set : {"train_", "test_"})
    for (const char* measure : {"confidence", "margin", "calibration_error"})
      if (plane == text(set, measure)) return with_spaces(plane);
  if (plane.find("_loss") == std::string::npos) return plane;
  if (!plane.ends_with("_se") && !plane.ends_with("_sd")) return loss;
  if (plane.ends_with("_se")) return "standard error of the " + loss;
  return plane;
}

bool is_loss(const std::string& plane) {
  return plane == "train_loss" || plane == "test_loss";
}

std::string footer_of(const Provenance& p) {
  std::string footer;
  for (const auto& [key, word] :
       std::vector<std::pair<std::string, std::string>>{{"model_hash", "model "},
                                                        {"data_hash", "data "},
                                                        {"direction_hash", "directions "},
                                                        {"bn_mode", "BatchNorm "},
                                                        {"precision", ""},
                                                        {"version", "Topograd "}}) {
    const std::string value = value_of(p, key);
    if (!value.empty()) footer += text(footer.empty() ? "" : "  ", word, value);
  }
  return footer;
}

/// Returns "cross-entropy over 1000 cifar10 training images", of a function that has none "my model:
/// loss"; empty for a file without provenance.
std::string subtitle_of(const Surface& surface, const std::string& loss, const std::string& plane) {
  const Provenance& p = surface.provenance;
  const std::string own = value_of(p, "quantity");
  const bool of_loss = plane.find("_loss") != std::string::npos;
  const std::string quantity = is_accuracy(plane) ? "accuracy"
                               : !own.empty()     ? own
                               : of_loss          ? loss
                                                  : with_spaces(plane);
  const std::string images = value_of(p, "images");
  if (images.empty() && !p.contains("function")) return "";
  // The title is what the network is called.
  const std::string what = p.contains("network") ? value_of(p, "model_name") + ": " : "";
  std::string subtitle = what + quantity;
  if (!images.empty())
    subtitle += text(" over ", p.contains("target_se") ? "up to " : "", images, " ",
                     value_of(p, "data"), " images");
  if (p.contains("subset")) subtitle += text(" (", value_of(p, "subset"), ")");
  if (p.contains("seeds")) subtitle += text(", mean over ", value_of(p, "seeds"), " seeds");
  if (!surface.is_line() && surface.has_plane("train_loss") && surface.has_plane("test_loss") &&
      is_loss(plane))
    subtitle += text("; shown: the ", plane == "train_loss" ? "training" : "test", " images' loss");
  return subtitle;
}

/// Returns what to say of a scale that all values lie beyond, where the picture has one colour.
std::string note_on_scale(const std::vector<double>& values, const PictureOptions& options) {
  const auto beyond = [&](const std::optional<double>& end, bool above) {
    return end &&
           std::any_of(values.begin(), values.end(), [](double v) { return !std::isnan(v); }) &&
           std::none_of(values.begin(), values.end(),
                        [&](double v) { return above ? v <= *end : v >= *end; });
  };
  if (beyond(options.value_max, true))
    return text("every value lies above ", *options.value_max, ", the highest of this scale");
  if (beyond(options.value_min, false))
    return text("every value lies below ", *options.value_min, ", the lowest of this scale");
  return "";
}

}  // namespace

std::vector<double> drawn_plane(const Surface& surface, const std::string& plane) {
  std::vector<double> values = surface.plane(plane);
  if (!is_accuracy(plane)) return values;
  const std::string loss = plane.substr(0, plane.size() - 4) + "_loss";
  if (!surface.has_plane(loss)) return values;
  const std::vector<double>& losses = surface.plane(loss);
  // Files of before have 0 % there, as if it were a result.
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(losses[i])) values[i] = std::numeric_limits<double>::quiet_NaN();
  return values;
}

std::vector<uint8_t> to_do_mask(const Surface& surface) {
  if (surface.done_count() == surface.points()) return {};
  std::vector<uint8_t> to_do;
  for (int64_t point = 0; point < surface.points(); ++point)
    to_do.push_back(surface.done(point) ? 0 : 1);
  return to_do;
}

Scale usual_scale(const std::vector<double>& values) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (double v : values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  return low > 0 && high > 4 * low ? Scale::log : Scale::linear;
}

FigureOptions figure_options(const Surface& surface, const PictureOptions& options) {
  const Provenance& p = surface.provenance;
  FigureOptions figure = options.look;
  figure.title = options.title.empty() ? title_of(p) : options.title;
  const std::string plane = pictured_values(surface, options);
  const std::string loss = loss_title(p, plane);
  figure.subtitle = subtitle_of(surface, loss, plane);
  if (!options.unfinished.empty()) figure.subtitle += "; " + options.unfinished;
  figure.note = drawing::with_minuses(options.note);
  if (const std::string note = note_on_scale(surface.plane(plane), options); !note.empty())
    figure.note += (figure.note.empty() ? "" : "; ") + note;
  figure.marks = options.marks;
  figure.x_label = axis_label(surface, "alpha", "x");
  figure.value_label = plane_label(plane, loss);
  figure.y_label = surface.is_line() ? figure.value_label : axis_label(surface, "beta", "y");
  figure.footer = footer_of(p);
  const Scale usual = is_accuracy(plane) ? Scale::linear : usual_scale(drawn_plane(surface, plane));
  figure.scale = options.scale.value_or(usual);
  figure.marks.largest = is_accuracy(plane);
  if (is_accuracy(plane)) figure.unit = " %";
  figure.level_min = options.value_min;
  figure.clip_max = options.value_max;
  figure.level_max = options.value_max;
  return figure;
}

std::string extent_of(const Surface& surface) {
  return surface.is_line() ? text(surface.nx()) : text(surface.nx(), "x", surface.ny());
}

bool can_be_drawn(const Surface& surface) {
  return surface.nx() >= 2 && (surface.is_line() || surface.ny() >= 2);
}

Figure two_curves_figure(const TwoCurves& curves, const Surface& surface,
                         const PictureOptions& options) {
  FigureOptions figure = figure_options(surface, options);
  figure.x_label = curves.x_label;
  figure.y_label = figure.value_label;
  figure.marks = {};
  std::vector<double> both = curves.first;
  both.insert(both.end(), curves.second.begin(), curves.second.end());
  figure.scale = options.scale.value_or(usual_scale(both));
  const CurveView view{
      .x = curves.x,
      .series = {{.name = curves.first_name, .values = curves.first, .errors = curves.first_errors},
                 {.name = curves.second_name,
                  .values = curves.second,
                  .errors = curves.second_errors,
                  .style = Series::Style::dashed}}};
  return curve_figure(view, figure);
}

const std::vector<PictureKind>& default_kinds() {
  static const std::vector<PictureKind> kKinds = {PictureKind::contours, PictureKind::heat,
                                                  PictureKind::surface};
  return kKinds;
}

PictureKind picture_kind_named(const std::string& name) {
  for (const PictureKind kind : {PictureKind::contours, PictureKind::lines, PictureKind::heat,
                                 PictureKind::surface, PictureKind::slices, PictureKind::curves})
    if (name == name_of(kind)) return kind;
  fail("unknown kind of picture '", name,
       "': choose contours, lines, heat, surface, slices or curves");
}

std::string name_of(PictureKind kind) {
  switch (kind) {
    case PictureKind::contours:
      return "contours";
    case PictureKind::lines:
      return "lines";
    case PictureKind::heat:
      return "heat";
    case PictureKind::surface:
      return "surface";
    case PictureKind::slices:
      return "slices";
    case PictureKind::curves:
      return "curves";
  }
  fail("no such kind of picture");
}

std::string pictured_values(const Surface& surface, const PictureOptions& options) {
  require(!surface.planes().empty(), "the surface holds no values");
  if (!options.values.empty()) {
    surface.plane(options.values);  // throws Error, listing the planes, if it has no such one
    return options.values;
  }
  for (const char* loss : {"train_loss", "test_loss", "lambda_ratio", "coherence_cosine"})
    if (surface.has_plane(loss)) return loss;
  return surface.planes().begin()->first;
}

namespace {

Figure curves_of(const Surface& surface, const PictureOptions& options,
                 const FigureOptions& figure) {
  const std::string plane = pictured_values(surface, options);
  if (is_loss(plane) && options.values.empty())
    return curve_figure(losses_and_accuracies(surface), figure);
  const std::string& label = figure.value_label;
  const std::string name = label.substr(0, label.find(" ("));
  return curve_figure(
      {.x = surface.x(),
       .series = {{.name = name,
                   .values = drawn_plane(surface, plane),
                   .style = Series::Style::coloured}},
       .mark = figure.marks.largest ? CurveView::Extreme::largest : CurveView::Extreme::smallest,
       .marked = name,
       .guides = guides_of(surface),
       .to_do = to_do_mask(surface)},
      figure);
}

size_t nearest_to_zero(const std::vector<double>& axis) {
  const auto nearest = std::min_element(
      axis.begin(), axis.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  return static_cast<size_t>(nearest - axis.begin());
}

/// Draws the values along both axes through (0, 0), or what is nearest to it.
Figure slices_of(const Surface& surface, const PictureOptions& options,
                 const FigureOptions& plane_options) {
  const std::string plane = pictured_values(surface, options);
  const std::vector<double>&x = surface.x(), &y = surface.y();
  const size_t row = nearest_to_zero(y), column = nearest_to_zero(x);
  const auto along = [&](const std::vector<double>& values, bool along_x) {
    std::vector<double> line;
    for (size_t i = 0; i < (along_x ? x : y).size(); ++i)
      line.push_back(values[along_x ? row * x.size() + i : i * x.size() + column]);
    return line;
  };
  const auto series = [&](bool along_x) {
    const double at = along_x ? y[row] : x[column];
    const std::string beside =
        at == 0 ? "" : text(along_x ? " at beta " : " at alpha ", drawing::format_number(at, 3));
    Series one{.name = text(along_x ? "along alpha" : "along beta", beside),
               .values = along(drawn_plane(surface, plane), along_x),
               .style = along_x ? Series::Style::solid : Series::Style::dashed};
    if (surface.has_plane(plane + "_se")) one.errors = along(surface.plane(plane + "_se"), along_x);
    if (x != y) one.x = along_x ? x : y;
    return one;
  };
  std::set<double> places(x.begin(), x.end());
  places.insert(y.begin(), y.end());
  CurveView curves{.x = {places.begin(), places.end()},
                   .series = {series(true), series(false)},
                   .mark = CurveView::Extreme::none};
  const std::vector<uint8_t> to_do = to_do_mask(surface);
  if (!to_do.empty() && x == y) {
    const std::vector<double> all(to_do.begin(), to_do.end());
    const std::vector<double> first = along(all, true), second = along(all, false);
    for (size_t i = 0; i < x.size(); ++i) curves.to_do.push_back(first[i] + second[i] > 0 ? 1 : 0);
  }
  FigureOptions figure = plane_options;
  figure.x_label = "coordinate along the direction";
  figure.y_label = figure.value_label;
  figure.marks = {};
  return curve_figure(curves, figure);
}

}  // namespace

Figure surface_picture(const Surface& surface, PictureKind kind, const PictureOptions& options) {
  FigureOptions figure = figure_options(surface, options);
  const bool curves = kind == PictureKind::curves;
  require(curves == surface.is_line(), "a ", surface.is_line() ? "line" : "grid",
          " of points cannot be drawn as ", name_of(kind), ": choose ",
          surface.is_line() ? "curves" : "contours, lines, heat, surface or slices");
  if (curves) return curves_of(surface, options, figure);
  const FieldView field{surface.x(), surface.y(),
                        drawn_plane(surface, pictured_values(surface, options)),
                        to_do_mask(surface)};
  field.check();  // slices are no field
  if (kind == PictureKind::slices) return slices_of(surface, options, figure);
  if (kind == PictureKind::surface) return surface_figure(field, figure);
  if (kind == PictureKind::heat) return heat_map_figure(field, figure);
  figure.filled = kind == PictureKind::contours;
  return contour_figure(field, figure);
}

std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options) {
  std::vector<PictureKind> kinds = {PictureKind::curves};
  if (!surface.is_line()) kinds = default_kinds();
  std::vector<NamedFigure> figures;
  for (const PictureKind kind : kinds)
    figures.push_back({name_of(kind), surface_picture(surface, kind, options)});
  return save_figures(figures, stem);
}

}  // namespace topograd
