#include "landscape/plots/training_plots.h"

#include "kernels/core/check.h"

namespace topograd {

Figure training_figure(const Record& log, const FigureOptions& options) {
  const std::vector<double>& epochs = log.numbers("epoch");
  require(epochs.size() >= 2, log.file, log.file.empty() ? "" : ": ",
          "a curve needs two epochs, there are ", epochs.size());
  CurveView curves{.x = epochs};
  for (const std::string set : {"train", "test"}) {
    const auto style = set == "train" ? Series::Style::solid : Series::Style::dashed;
    curves.series.push_back(
        {.name = set + " loss", .values = log.numbers(set + "_loss"), .style = style});
    curves.series.push_back({.name = set + " accuracy",
                             .values = log.numbers(set + "_accuracy"),
                             .axis = Series::Axis::right,
                             .style = style});
  }
  FigureOptions figure = options;
  figure.x_label = "epoch";
  figure.y_label = "loss";
  figure.footer = "training values as seen during the epoch: augmented, the weights moving";
  return curve_figure(curves, figure);
}

void draw_training_log(const std::string& log_path, const std::string& title,
                       const std::string& path) {
  const std::vector<EpochReport> epochs = read_training_log(log_path);
  if (epochs.size() >= 2) save_figure(training_figure(record_of(epochs), {.title = title}), path);
}

}  // namespace topograd
