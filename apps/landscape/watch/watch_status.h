// State of a watched surface, in numbers and in words.
#pragma once

#include <optional>
#include <string>

#include "apps/landscape/watch/watch_progress.h"
#include "landscape/surface/surface.h"

namespace topograd {

struct WatchStatus {
  int64_t done = 0;
  int64_t total = 0;
  double rate = 0;          ///< points per second; NaN while unknown
  double seconds_left = 0;  ///< NaN while unknown
  double idle = 0;          ///< seconds since the file was written
  bool stalled = false;     ///< idle for so long that the computation may have ended
  struct Smallest {
    double value, x;
    std::optional<double> y;  ///< nullopt for a line
  };
  std::optional<Smallest> smallest;  ///< nullopt if no value is finite

  bool finished() const { return done == total; }
};

/// Returns the state; the smallest value is that of the plane `plane`.
WatchStatus status_of(const Surface& surface, const std::string& plane,
                      const ProgressEstimate& progress, double now);

/// Returns "120 of 225 points, 53 %, 12.3 points/s, 0:09 left".
std::string progress_words(const WatchStatus& status);
/// Returns "smallest 0.0123 at alpha 0, beta -0.1", or that there is none.
std::string smallest_words(const WatchStatus& status);

}  // namespace topograd
