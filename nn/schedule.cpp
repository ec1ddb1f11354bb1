#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/core/check.h"

namespace topograd {

ScheduleKind schedule_named(const std::string& name) {
  for (ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine})
    if (name == name_of(kind)) return kind;
  fail("unknown schedule '", name, "': choose constant, step or cosine");
}

std::string name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::step:
      return "step";
    case ScheduleKind::cosine:
      return "cosine";
  }
  return "?";
}

double Schedule::rate(double epoch) const {
  double rate = base;
  if (kind == ScheduleKind::step)
    for (double drop : drops)
      if (std::floor(epoch) >= drop) rate *= factor;
  if (kind == ScheduleKind::cosine)
    rate *= 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, epoch / epochs)));
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
