// Figures of a training's log.csv.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/figure.h"
#include "landscape/results/training_log.h"

namespace topograd {

/// Draws losses on the left axis, accuracies on the right, over epochs. Throws Error for fewer than
/// two epochs. The options' scale, bounds, title and size hold; labels and footer are the log's
/// own.
Figure training_figure(const Record& log, const FigureOptions& options);

/// Draws training_figure() of the log at `log_path` into the file `path`, whose suffix says the
/// format; nothing before the second epoch.
void draw_training_log(const std::string& log_path, const std::string& title,
                       const std::string& path);

}  // namespace topograd
