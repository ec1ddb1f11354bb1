#include "apps/training_log.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "apps/progress.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/figures/figure.h"

namespace topograd {

namespace {

enum Column { kEpoch, kRate, kTrainLoss, kTrainAccuracy, kTestLoss, kTestAccuracy };
constexpr const char* kHeader =
    "epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,images_per_second,"
    "seconds,gradient_norm,weight_norm\n";

}  // namespace

TrainingLog::TrainingLog(std::string path, int64_t epochs) : path_(std::move(path)) {
  std::ifstream in(path_);
  std::string line;
  std::getline(in, line);
  for (int64_t i = 0; i < epochs && std::getline(in, line); ++i) {
    std::istringstream cells(line);
    rows_.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows_.back().push_back(cell);
  }
}

void TrainingLog::append(const EpochReport& r) {
  rows_.push_back({text(r.epoch), text(r.learning_rate), decimals(r.train_loss, 6),
                   decimals(r.train_accuracy, 3), decimals(r.test_loss, 6),
                   decimals(r.test_accuracy, 3), decimals(r.images_per_second, 1),
                   decimals(r.seconds, 1), text(r.gradient_norm), text(r.weight_norm)});
  std::string content = kHeader;
  for (const std::vector<std::string>& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) content += row[i] + (i + 1 < row.size() ? ',' : '\n');
  write_file_atomically(path_, content);
}

void TrainingLog::draw(const std::string& title, const std::string& path) const {
  CurveView curves;
  for (const std::vector<std::string>& row : rows_) {
    if (row.size() <= kTestAccuracy) continue;
    const auto number = [&](Column column) { return std::strtod(row[column].c_str(), nullptr); };
    if (!curves.x.empty() && number(kEpoch) <= curves.x.back()) continue;
    curves.x.push_back(number(kEpoch));
    curves.train_loss.push_back(number(kTrainLoss));
    curves.test_loss.push_back(number(kTestLoss));
    curves.train_accuracy.push_back(number(kTrainAccuracy));
    curves.test_accuracy.push_back(number(kTestAccuracy));
  }
  if (curves.x.size() < 2) return;
  FigureOptions options;
  options.title = title;
  options.x_label = "epoch";
  options.y_label = "loss";
  options.footer = "training values as seen during the epoch: augmented, the weights moving";
  draw_curves(curves, options, path);
}

}  // namespace topograd
