// The trained curve of landscape connect: its flags, its training and the file of its control
// point.
#pragma once

#include <string>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "landscape/connectivity/mode_curve.h"
#include "landscape/results/provenance.h"

namespace topograd {

/// Declares --epochs and what belongs to it, in the group "Curve".
void add_curve_flags(cxxopts::Options& options);

/// Trains the control point between two networks and keeps it in a checkpoint.
class CurveRun {
 public:
  /// `path` names the checkpoint. The model's weights are one end, `b` and `b_hash` the other, and
  /// everything handed in must outlive it. Throws Error where there is a file of another curve.
  CurveRun(const cxxopts::ParseResult& flags, const LoadedModel& model, const Tensor& b,
           const std::string& b_hash, std::string path, const std::string& command,
           ThreadPool& pool);

  /// All that decides the curve, in one line.
  std::string description() const;
  /// Writes the checkpoint unless it is there.
  void begin() const;
  /// Trains to the end, saving now and then; false when interrupted.
  bool train();
  ModeCurve curve() const { return trainer_->curve(); }
  const std::string& path() const { return path_; }

 private:
  LabelledImages load_images();
  CurveConfig config() const;
  void resume();
  Tensor statistics();
  void save(const Tensor& running_stats) const;

  const cxxopts::ParseResult& flags_;
  const LoadedModel& model_;
  std::string path_, command_;
  ThreadPool& pool_;
  DataSplits data_;
  LabelledImages images_;
  Provenance settings_;  // what must agree for the file to be continued
  std::optional<CurveTrainer> trainer_;
};

}  // namespace topograd
