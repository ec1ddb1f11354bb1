#include "landscape/plots/training_plots.h"

#include "kernels/core/check.h"

namespace topograd {

Figure training_figure(const std::vector<EpochReport>& epochs, const FigureOptions& options) {
  require(epochs.size() >= 2, "a curve needs two epochs, there are ", epochs.size());
  CurveView curves;
  for (const EpochReport& epoch : epochs) {
    curves.x.push_back(static_cast<double>(epoch.epoch));
    curves.train_loss.push_back(epoch.train_loss);
    curves.test_loss.push_back(epoch.test_loss);
    curves.train_accuracy.push_back(epoch.train_accuracy);
    curves.test_accuracy.push_back(epoch.test_accuracy);
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
  if (epochs.size() >= 2) save_figure(training_figure(epochs, {.title = title}), path);
}

}  // namespace topograd
