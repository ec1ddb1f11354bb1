#include "landscape/plots/result_plots.h"

#include <cmath>
#include <filesystem>
#include <sstream>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/plots/coherence_plots.h"
#include "landscape/plots/path_plots.h"
#include "landscape/plots/rescaling_plots.h"
#include "landscape/plots/training_plots.h"
#include "landscape/plots/trajectory_plots.h"
#include "landscape/results/training_log.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr const char* kOfTrajectory = "_surface";

std::string stem_of(const fs::path& file) {
  return (file.parent_path() / file.stem()).string();
}

/// Of x_surface.h5 it is x.h5, where that is there and of the same plane.
std::optional<TrajectoryResults> trajectory_of(const Surface& surface, const std::string& file) {
  const std::string stem = stem_of(file), suffix = kOfTrajectory;
  if (!stem.ends_with(suffix)) return std::nullopt;
  const std::string beside = stem.substr(0, stem.size() - suffix.size()) + ".h5";
  if (!fs::exists(beside) || kind_of_result(beside) != ResultKind::trajectory) return std::nullopt;
  TrajectoryResults results = TrajectoryResults::load(beside);
  const std::string plane = value_of(surface.provenance, "direction_hash");
  if (plane.empty() || value_of(results.provenance, "direction_hash") != plane) return std::nullopt;
  return results;
}

/// The other networks of a plane, a line each: name, x, y.
void mark_networks(const Surface& surface, FigureMarks& marks) {
  std::istringstream lines(value_of(surface.provenance, "networks"));
  for (std::string line; std::getline(lines, line);) {
    const size_t y = line.rfind(' '), x = y == std::string::npos ? y : line.rfind(' ', y - 1);
    if (x == std::string::npos) continue;
    marks.networks.push_back(
        {{std::atof(line.c_str() + x + 1), std::atof(line.c_str() + y + 1)}, line.substr(0, x)});
  }
}

std::string with_error(double value, double error) {
  return text(significant(value, 4), " ± ", significant(error, 2));
}

/// "largest eigenvalue 179, smallest −12.3, trace 1241 ± 35"
std::string eigenvalues_in_words(const CurvatureResults& results) {
  std::string words;
  const auto add = [&](const std::string& name, const std::string& value) {
    words += (words.empty() ? "" : ", ") + name + " " + value;
  };
  if (results.largest && !results.largest->values.empty())
    add("largest eigenvalue", significant(results.largest->values.front(), 4));
  if (results.smallest && !results.smallest->values.empty())
    add("smallest", significant(results.smallest->values.front(), 4));
  if (results.trace) add("trace", with_error(results.trace->value, results.trace->standard_error));
  return words;
}

/// On a logarithmic axis: most of a network's spectrum is a spike at 0.
std::vector<NamedFigure> density_figures(const CurvatureResults& results,
                                         const PictureOptions& options) {
  if (!results.density) return {};
  const Provenance& p = results.provenance;
  FigureOptions figure = options.look;
  figure.title = options.title.empty() ? value_of(p, "model_name") : options.title;
  figure.subtitle = text(value_of(p, "curvature"), " over ", value_of(p, "images"), " ",
                         value_of(p, "data"), " images, BatchNorm ", value_of(p, "bn_mode"));
  figure.note = eigenvalues_in_words(results);
  figure.x_label = "eigenvalue";
  figure.y_label = "density";
  figure.footer =
      text("stochastic Lanczos quadrature, ", results.density->probes.size(),
           " probes, each value widened to a deviation of ", significant(results.density->sigma, 2),
           "; Topograd ", value_of(p, "version"));
  figure.scale = options.scale.value_or(Scale::log);
  figure.level_min = options.value_min;
  figure.level_max = options.value_max;
  // Gaussians' tails: what is a millionth of the highest is no measurement.
  double highest = 0;
  for (double d : results.density->density) highest = std::max(highest, d);
  if (figure.scale == Scale::log && !figure.level_min && highest > 0)
    figure.level_min = 1e-6 * highest;
  const CurveView curves{.x = results.density->at,
                         .train_loss = results.density->density,
                         .train_loss_error = results.density->standard_error,
                         .error_name = "standard error over the probes",
                         .train_loss_name = "density of eigenvalues",
                         .mark_minimum = false};
  return {{"density", curve_figure(curves, figure)}};
}

std::vector<NamedFigure> trajectory_figures(const std::string& file,
                                            const std::vector<PictureKind>& kinds,
                                            const PictureOptions& options) {
  const TrajectoryResults results = TrajectoryResults::load(file);
  const std::string set = results.own.has_plane("train_loss") ? "train" : "test";
  Surface titles = results.own;  // a line, whose provenance the losses' figure shows
  titles.provenance = results.provenance;
  PictureOptions losses = options;
  losses.note = trajectory_note(results, set);
  std::vector<NamedFigure> figures = {
      {"losses", two_curves_figure(trajectory_curves(results, set), titles, losses)}};
  const std::string beside = stem_of(file) + kOfTrajectory + ".h5";
  if (!fs::exists(beside)) return figures;
  const std::vector<NamedFigure> more =
      surface_figures(Surface::load(beside), beside, kinds, options);
  figures.insert(figures.end(), more.begin(), more.end());
  return figures;
}

std::vector<NamedFigure> training_figures(const std::string& file, const PictureOptions& options) {
  FigureOptions figure = options.look;
  figure.title = options.title;
  if (figure.title.empty()) figure.title = fs::absolute(file).parent_path().filename().string();
  figure.scale = options.scale.value_or(Scale::linear);
  figure.level_min = options.value_min;
  figure.level_max = options.value_max;
  const std::vector<EpochReport> epochs = read_training_log(file);
  require(epochs.size() >= 2, file, ": a curve needs two epochs, there are ", epochs.size());
  return {{"curves", training_figure(epochs, figure)}};
}

}  // namespace

std::vector<NamedFigure> surface_figures(const Surface& surface, const std::string& file,
                                         const std::vector<PictureKind>& kinds,
                                         const PictureOptions& options) {
  PictureOptions own = options;
  if (const auto trajectory = trajectory_of(surface, file)) {
    own.marks = trajectory_marks(*trajectory);
    own.note = trajectory_note(*trajectory, surface.has_plane("train_loss") ? "train" : "test");
  }
  mark_networks(surface, own.marks);
  const int64_t done = surface.done_count();
  if (done < surface.points())
    own.unfinished = text("unfinished: ", done, " of ", surface.points(), " points");
  std::vector<PictureKind> chosen = kinds;
  if (surface.is_line()) chosen = {PictureKind::curves};
  std::vector<NamedFigure> figures;
  for (const PictureKind kind : chosen)
    figures.push_back({own.values.empty() ? name_of(kind) : own.values + "_" + name_of(kind),
                       surface_picture(surface, kind, own)});
  return figures;
}

std::vector<NamedFigure> result_figures(const std::string& file, ResultKind kind,
                                        const std::vector<PictureKind>& kinds,
                                        const PictureOptions& options) {
  switch (kind) {
    case ResultKind::surface:
      return surface_figures(Surface::load(file), file, kinds, options);
    case ResultKind::trajectory:
      return trajectory_figures(file, kinds, options);
    case ResultKind::curvature:
      return density_figures(CurvatureResults::load_values(file), options);
    case ResultKind::paths:
      return path_figures(ConnectivityResults::load(file));
    case ResultKind::coherence:
      return coherence_figures(CoherenceResults::load(file));
    case ResultKind::sharpness:
      return slice_figures(SharpnessPanel::load(file));
    case ResultKind::training_log:
      return training_figures(file, options);
  }
  fail("no such kind of result");
}

}  // namespace topograd
