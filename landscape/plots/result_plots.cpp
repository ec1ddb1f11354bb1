#include "landscape/plots/result_plots.h"

#include <cmath>
#include <filesystem>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "kernels/core/streams.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/plots/kind_plots.h"
#include "landscape/plots/training_plots.h"
#include "landscape/plots/trajectory_plots.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr const char* kOfTrajectory = "_surface";

std::string stem_of(const fs::path& file) {
  return (file.parent_path() / file.stem()).string();
}

/// Returns the trajectory x.h5 of a surface x_surface.h5, if it exists and has the same plane.
std::optional<TrajectoryResults> trajectory_of(const Surface& surface, const std::string& file) {
  const std::string stem = stem_of(file), suffix = kOfTrajectory;
  if (!stem.ends_with(suffix)) return std::nullopt;
  const std::string beside = stem.substr(0, stem.size() - suffix.size()) + ".h5";
  if (!fs::exists(beside) || kind_of_result(beside).name != "trajectory") return std::nullopt;
  TrajectoryResults results = TrajectoryResults::load(beside);
  const std::string plane = value_of(surface.provenance, "direction_hash");
  if (plane.empty() || value_of(results.provenance, "direction_hash") != plane) return std::nullopt;
  return results;
}

/// Marks the other networks of a plane; the provenance has a line for each: name, x, y.
void mark_networks(const Surface& surface, FigureMarks& marks) {
  TextReader lines(value_of(surface.provenance, "networks"));
  for (std::string line; std::getline(lines, line);) {
    const size_t y = line.rfind(' '), x = y == std::string::npos ? y : line.rfind(' ', y - 1);
    if (x == std::string::npos) continue;
    marks.networks.push_back(
        {{std::atof(line.c_str() + x + 1), std::atof(line.c_str() + y + 1)}, line.substr(0, x)});
  }
}

std::vector<NamedFigure> trajectory_figures(const Record& record,
                                            const std::vector<PictureKind>& kinds,
                                            const PictureOptions& options) {
  const TrajectoryResults results = trajectory_of(record);
  const std::string set = results.own.has_plane("train_loss") ? "train" : "test";
  Surface titles = results.own;  // a line, whose provenance the losses' figure shows
  titles.provenance = results.provenance;
  PictureOptions losses = options;
  losses.note = trajectory_note(results, set);
  std::vector<NamedFigure> figures = {
      {"losses", two_curves_figure(trajectory_curves(results, set), titles, losses)}};
  const std::string beside = stem_of(record.file) + kOfTrajectory + ".h5";
  if (!fs::exists(beside)) return figures;
  const std::vector<NamedFigure> more =
      surface_figures(Surface::load(beside), beside, kinds, options);
  figures.insert(figures.end(), more.begin(), more.end());
  return figures;
}

/// Kind of result and what draws it; a kind that is not in the list has default_figures().
struct KindPlots {
  const char* kind;
  std::vector<NamedFigure> (*draw)(const Record&, const std::vector<PictureKind>&,
                                   const PictureOptions&);
};

using Kinds = const std::vector<PictureKind>&;
using Options = const PictureOptions&;
constexpr KindPlots kPlots[] = {
    {"surface",
     [](const Record& record, Kinds kinds, Options options) {
       return surface_figures(surface_of(record), record.file, kinds, options);
     }},
    {"trajectory", trajectory_figures},
    {"curvature",
     [](const Record& record, Kinds, Options options) { return density_figures(record, options); }},
    {"paths",
     [](const Record& record, Kinds, Options options) { return path_figures(record, options); }},
    {"coherence", [](const Record& record, Kinds,
                     Options options) { return coherence_figures(record, options); }},
    {"sharpness",
     [](const Record& record, Kinds, Options options) { return slice_figures(record, options); }},
    {"training_log", [](const Record& record, Kinds,
                        Options options) { return training_figures({record}, options); }},
};

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

std::vector<NamedFigure> training_figures(const std::vector<Record>& logs,
                                          const PictureOptions& options) {
  FigureOptions figure = curve_options(logs.front(), options, Scale::linear);
  if (figure.title.empty())
    figure.title = logs.size() > 1
                       ? "Trainings"
                       : fs::absolute(logs.front().file).parent_path().filename().string();
  return {{"curves", training_figure(logs, figure)}};
}

std::vector<NamedFigure> result_figures(const Record& record, const std::vector<PictureKind>& kinds,
                                        const PictureOptions& options) {
  for (const KindPlots& plots : kPlots)
    if (plots.kind == record.kind) return plots.draw(record, kinds, options);
  return default_figures(record, options);
}

}  // namespace topograd
