// The training of a curve between two networks, with the checkpoint of its control point, which is
// saved now and then and continued.
#pragma once

#include <optional>
#include <string>

#include "data/load.h"
#include "landscape/connectivity/mode_curve.h"
#include "landscape/results/observer.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

struct CurveTrainingSettings {
  CurveConfig config;         ///< `flip` is the data's
  std::string source{};       ///< of the training images, as ImageSelection's
  bool noisy_labels = false;  ///< whether to use the labels of the first network's training
  int64_t images = 0;         ///< the first training images; 0: all
  std::optional<Normalisation> normalisation{};  ///< constants in place of the model's
  double save_seconds = 60;                      ///< seconds between two savings
};

class CurveTraining {
 public:
  /// The model's weights are one end, `b` and its hash the other; `path` names the checkpoint and
  /// `command` is what was typed, for it. Everything handed in must outlive it.
  CurveTraining(const CurveTrainingSettings& settings, const LoadedModel& model, const Tensor& b,
                const std::string& b_hash, std::string path, std::string command, ThreadPool& pool,
                Observer& observer);

  /// Describes all that decides the curve, in one line.
  std::string description() const;
  /// Takes over what the checkpoint has. Throws Error where it is of another curve.
  void resume();
  /// Returns the steps that train() would take after resume(), of the curve between these networks
  /// whatever the ends that the checkpoint has: an aligned one is known only once it is aligned.
  int64_t steps_ahead() const;
  /// Takes a step, after the last one the first again, to measure it: not to be followed by train().
  void step();
  int64_t images() const { return images_.count(); }
  /// Writes the checkpoint unless it is there.
  void begin() const;
  /// Trains to the end, saving now and then, and reports every epoch. Returns false where the
  /// observer asked to stop; what was trained is saved.
  bool train();
  ModeCurve curve() const { return trainer_->curve(); }

 private:
  LabelledImages load_images();
  Tensor statistics();
  void save(const Tensor& running_stats) const;

  CurveTrainingSettings settings_;
  const LoadedModel& model_;
  std::string path_, command_;
  ThreadPool& pool_;
  Observer& observer_;
  DataSplits data_;
  LabelledImages images_;
  Provenance identity_;  // what must agree for the file to be continued
  std::optional<CurveTrainer> trainer_;
};

}  // namespace topograd
