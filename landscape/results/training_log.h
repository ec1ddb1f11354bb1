// TrainingLog: the log.csv of a training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// Values of one epoch of training, known at its end.
struct EpochReport {
  int64_t epoch = 0;          ///< number of the epoch, from 1
  double learning_rate = 0;   ///< rate of the epoch's last step
  double train_loss = 0;      ///< mean during the epoch: augmented images, changing weights
  double train_accuracy = 0;  ///< percent
  double test_loss = 0;
  double test_accuracy = 0;  ///< percent
  double images_per_second = 0;
  double seconds = 0;        ///< including the evaluation
  double gradient_norm = 0;  ///< root mean square over the epoch's steps, without weight decay
  double weight_norm = 0;    ///< norm of all parameters after the epoch
};

/// Reads the rows of a log.csv. Throws Error for another file, a cell that is no number, or epochs
/// that do not increase.
std::vector<EpochReport> read_training_log(const std::string& path);

/// Returns the log's columns over its epochs.
Record record_of(const std::vector<EpochReport>& epochs);

/// Writes log.csv: a header, a row per epoch. Every append rewrites it atomically, so that a killed
/// process leaves whole lines.
class TrainingLog {
 public:
  /// Keeps the rows of the first `epochs` epochs of an existing log: later ones will be repeated.
  TrainingLog(std::string path, int64_t epochs);
  void append(const EpochReport& report);

 private:
  std::string path_;
  std::vector<std::vector<std::string>> rows_;  // cells as in the file
};

}  // namespace topograd
