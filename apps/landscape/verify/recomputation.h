// Computes a part of a result anew, by the command that made it.
#pragma once

#include <optional>

#include "apps/landscape/verify/verify_command.h"
#include "landscape/verification/sample.h"

namespace topograd {

/// Numbers of a result, computed anew.
struct Recomputation {
  Record record;
  /// Points of the record that were computed, the rest having been taken over; nullopt: all of it
  /// was.
  std::optional<PointSample> sample;
  int64_t points = 0;        ///< of the result, done
  bool interrupted = false;  ///< by Ctrl-C: there is no record
};

/// Computes points of a surface, a trajectory or paths, or all of another kind of result, in a
/// folder that is removed again. Throws Error if the result does not say how it was made, or what
/// it was made from is gone, or another one.
Recomputation recompute(const Record& record, const VerifySettings& settings, uint64_t seed);

}  // namespace topograd
