// A training's log.csv.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// One epoch of training, known when it is over.
struct EpochReport {
  int64_t epoch = 0;          ///< counted from 1
  double learning_rate = 0;   ///< the epoch's last step's
  double train_loss = 0;      ///< seen during the epoch: augmented images, moving weights
  double train_accuracy = 0;  ///< percent
  double test_loss = 0;
  double test_accuracy = 0;  ///< percent
  double images_per_second = 0;
  double seconds = 0;        ///< including the evaluation
  double gradient_norm = 0;  ///< root mean square over the epoch's steps, without weight decay
  double weight_norm = 0;    ///< all parameters', after the epoch
};

/// Reads the rows of a log.csv. Throws Error for another file, a cell that is no number, or epochs
/// that do not increase.
std::vector<EpochReport> read_training_log(const std::string& path);

/// The log's columns over its epochs.
Record record_of(const std::vector<EpochReport>& epochs);

/// log.csv: a header, a row per epoch. Rewritten whole and atomically: a kill leaves whole lines.
class TrainingLog {
 public:
  /// Keeps the rows of the first `epochs` epochs of a log that is there: later ones will be redone.
  TrainingLog(std::string path, int64_t epochs);
  void append(const EpochReport& report);

 private:
  std::string path_;
  std::vector<std::vector<std::string>> rows_;  // as they stand in the file
};

}  // namespace topograd
