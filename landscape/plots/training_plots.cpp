#include "landscape/plots/training_plots.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Returns the names of several runs: of their folders, or the files as they were given where two
/// folders have one name. One run alone needs none.
std::vector<std::string> names_of_runs(const std::vector<Record>& logs) {
  std::vector<std::string> names;
  if (logs.size() == 1) return {""};
  for (const Record& log : logs)
    names.push_back(std::filesystem::absolute(log.file).parent_path().filename().string());
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size())
    for (size_t i = 0; i < logs.size(); ++i) names[i] = logs[i].file;
  return names;
}

/// Returns the curves of a quantity, the training images' before the test images' of each run.
CurveView curves_of_runs(const std::vector<Record>& logs, const std::string& quantity) {
  CurveView curves{.guides = {}};
  std::set<double> epochs;
  for (const Record& log : logs) {
    const std::vector<double>& own = log.numbers("epoch");
    epochs.insert(own.begin(), own.end());
  }
  curves.x = {epochs.begin(), epochs.end()};
  const std::vector<std::string> names = names_of_runs(logs);
  const auto nothing = [](const std::vector<double>& values) {
    return std::none_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  };
  for (size_t i = 0; i < logs.size(); ++i) {
    // Images whose targets are numbers to come close to have no accuracy.
    if (nothing(logs[i].numbers("train_" + quantity)) &&
        nothing(logs[i].numbers("test_" + quantity)))
      continue;
    for (const std::string set : {"train", "test"}) {
      const bool test = set == "test", alone = logs.size() == 1;
      Series series{.name = (alone ? "" : names[i] + ", ") + set + " " + quantity,
                    .values = logs[i].numbers(set + "_" + quantity),
                    .style = test ? Series::Style::coloured_dashed : Series::Style::coloured};
      if (!alone) series.x = logs[i].numbers("epoch");
      curves.series.push_back(series);
    }
  }
  return curves;
}

/// Marks the largest, or smallest, value of the test images.
void mark_best(CurveView& curves, bool largest) {
  curves.mark = largest ? CurveView::Extreme::largest : CurveView::Extreme::smallest;
  const double sign = largest ? -1 : 1;
  double best = 0;
  for (size_t i = 1; i < curves.series.size(); i += 2)
    for (const double value : curves.series[i].values)
      if (std::isfinite(value) && (curves.marked.empty() || sign * value < sign * best)) {
        best = value;
        curves.marked = curves.series[i].name;
      }
  if (curves.marked.empty()) curves.mark = CurveView::Extreme::none;
}

}  // namespace

Figure training_figure(const std::vector<Record>& logs, const FigureOptions& options) {
  for (const Record& log : logs)
    require(log.numbers("epoch").size() >= 2, log.file, log.file.empty() ? "" : ": ",
            "a curve needs two epochs, there are ", log.numbers("epoch").size());
  CurveView losses = curves_of_runs(logs, "loss"), accuracies = curves_of_runs(logs, "accuracy");
  mark_best(losses, /*largest=*/false);
  mark_best(accuracies, /*largest=*/true);
  FigureOptions upper = options;
  upper.height = std::max(0.5 * options.height, std::min(options.height, 0.55 * options.width));
  upper.x_label = "epoch";
  FigureOptions lower = upper;
  upper.y_label = "loss";
  lower.y_label = "accuracy (%)";
  lower.unit = " %";
  lower.title = lower.subtitle = lower.note = "";
  lower.scale = Scale::linear;
  lower.level_min = lower.level_max = lower.clip_max = std::nullopt;
  lower.footer = "training values as seen during the epoch: augmented, the weights moving";
  const Figure loss = curve_figure(losses, upper);
  if (accuracies.series.empty()) {
    Figure alone = loss;
    alone.title = options.title;
    return alone;
  }
  const Figure accuracy = curve_figure(accuracies, lower);
  Figure both = side_by_side({loss, accuracy}, 1);
  both.title = options.title;
  both.data = loss.data;
  both.data.columns.insert(both.data.columns.end(), accuracy.data.columns.begin() + 1,
                           accuracy.data.columns.end());
  return both;
}

void draw_training_log(const std::string& log_path, const std::string& title,
                       const std::string& path) {
  const std::vector<EpochReport> epochs = read_training_log(log_path);
  if (epochs.size() >= 2) save_figure(training_figure({record_of(epochs)}, {.title = title}), path);
}

}  // namespace topograd
