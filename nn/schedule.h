// Learning rates over a run.
#pragma once

#include <string>
#include <vector>

namespace topograd {

enum class ScheduleKind {
  constant,  ///< base all the way
  step,      ///< base, times `factor` after each of the drops
  cosine,    ///< base * (1 + cos(pi * progress)) / 2 (Loshchilov & Hutter, 2017)
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

  /// The rate of a step that begins `epoch` epochs (with fraction) into the run. Drops count whole
  /// epochs, as the reference implementation's do.
  double rate(double epoch) const;
};

/// Drops at 1/2, 3/4 and 11/12 of the run: the reference's 150, 225, 275 of 300. Whole epochs,
/// of which short runs have fewer: none before the first epoch, no two at once.
std::vector<double> default_drops(double epochs);

}  // namespace topograd
