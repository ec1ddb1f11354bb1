// Learning rates over a run.
#pragma once

#include <string>
#include <vector>

namespace topograd {

enum class ScheduleKind {
  constant,  ///< base all the way
  step,      ///< base, times `factor` after each of the drops
  cosine,    ///< base * (1 + cos(pi * progress)) / 2 (Loshchilov & Hutter, 2017)
  /// base * (1 - progress)^power, linear with power 1; PyTorch's PolynomialLR.
  polynomial,
  /// Up along half a cosine from base / div_factor to base, which is reached after the share
  /// pct_start of the run, and down along another to base / (div_factor * final_div_factor)
  /// (Smith & Topin, "Super-Convergence", 2018), step by step as PyTorch's OneCycleLR with
  /// anneal_strategy="cos". The paper's momentum, which moves against the rate, is left constant.
  one_cycle,
};
ScheduleKind schedule_named(const std::string& name);
std::string name_of(ScheduleKind kind);

struct Schedule {
  ScheduleKind kind = ScheduleKind::step;
  double base = 0.1;
  double factor = 0.1;
  std::vector<double> drops{};  ///< epochs after which the rate falls
  double warmup = 0;            ///< epochs over which the rate rises linearly from 0 to its course
  double epochs = 1;            ///< the run's length
  double power = 1;             ///< polynomial
  double pct_start = 0.3;       ///< one_cycle, with PyTorch's names
  double div_factor = 25;
  double final_div_factor = 1e4;
  /// Steps per epoch, for one_cycle, whose peak and end are steps as in PyTorch; 0: infinitely
  /// many.
  double steps_per_epoch = 0;

  /// Learning rate of a step that begins `epoch` epochs (with fraction) into the run. Drops count
  /// whole epochs, as the reference implementation's do. Warm-up multiplies any course by epoch /
  /// warmup.
  double rate(double epoch) const;

 private:
  double one_cycle_rate(double epoch) const;
};

/// Epochs of the drops at 1/2, 3/4 and 11/12 of a run, the landscape paper's 150, 225 and 275 of
/// 300: whole epochs. Short runs have fewer: none before the first epoch, no two at once.
std::vector<double> default_drops(double epochs);

}  // namespace topograd
