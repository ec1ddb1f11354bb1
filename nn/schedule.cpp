#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Moves from `start` to `end` along half a cosine, for progress 0 to 1.
double along_cosine(double start, double end, double progress) {
  return end + (start - end) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace

ScheduleKind schedule_named(const std::string& name) {
  for (ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine,
                            ScheduleKind::polynomial, ScheduleKind::one_cycle})
    if (name == name_of(kind)) return kind;
  fail("unknown schedule '", name, "': choose constant, step, cosine, polynomial or one_cycle");
}

std::string name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::step:
      return "step";
    case ScheduleKind::cosine:
      return "cosine";
    case ScheduleKind::polynomial:
      return "polynomial";
    case ScheduleKind::one_cycle:
      return "one_cycle";
  }
  return "?";
}

/// The two halves end where PyTorch's do: at the steps pct_start * n - 1 and n - 1 of n.
double Schedule::one_cycle_rate(double epoch) const {
  const double step = steps_per_epoch > 0 ? 1 / steps_per_epoch : 0;
  const double peak = std::max(0.0, pct_start * epochs - step), end = epochs - step;
  const double lowest = base / div_factor;
  if (epoch < peak) return along_cosine(lowest, base, epoch / peak);
  const double progress = epoch < end ? (epoch - peak) / (end - peak) : 1;
  return along_cosine(base, lowest / final_div_factor, progress);
}

double Schedule::rate(double epoch) const {
  double rate = base;
  if (kind == ScheduleKind::step)
    for (double drop : drops)
      if (std::floor(epoch) >= drop) rate *= factor;
  if (kind == ScheduleKind::cosine)
    rate *= 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, epoch / epochs)));
  if (kind == ScheduleKind::polynomial) rate *= std::pow(1 - std::min(1.0, epoch / epochs), power);
  if (kind == ScheduleKind::one_cycle) rate = one_cycle_rate(epoch);
  if (epoch < warmup) rate *= epoch / warmup;
  return rate;
}

std::vector<double> default_drops(double epochs) {
  std::vector<double> drops;
  for (double drop :
       {std::floor(epochs / 2), std::floor(epochs * 3 / 4), std::floor(epochs * 11 / 12)})
    if (drop >= 1 && (drops.empty() || drop > drops.back())) drops.push_back(drop);
  return drops;
}

}  // namespace topograd
