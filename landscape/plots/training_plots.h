// Figures of trainings' log.csv.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/figure.h"
#include "landscape/results/training_log.h"

namespace topograd {

/// Draws losses and, below them, accuracies over epochs: of one training, or of several, each in
/// its colour under the name of its folder. Each of the two is at most as high as the options say.
/// Throws Error for fewer than two epochs. The options' scale and bounds hold for the losses; labels
/// and footer are the logs' own.
Figure training_figure(const std::vector<Record>& logs, const FigureOptions& options);

/// Draws training_figure() of the log at `log_path` into the file `path`, whose suffix says the
/// format; nothing before the second epoch.
void draw_training_log(const std::string& log_path, const std::string& title,
                       const std::string& path);

}  // namespace topograd
