// The pace of a computation, from its file alone.
#pragma once

#include <cstdint>
#include <deque>

namespace topograd {

/// Returns the steady clock's seconds.
double steady_seconds();

/// Estimate of a computation's pace. Times are seconds of one steady clock.
class ProgressEstimate {
 public:
  /// Records that the file held `done` points when it was written at `seconds`. If that is as many
  /// as before, the computation has just (re)started, and the pace counts from there; if fewer, it
  /// is another computation.
  void observe(double seconds, int64_t done);

  /// Returns points per second over the last two minutes, or the last two files; NaN until the
  /// count has grown.
  double rate() const;
  /// Returns the seconds from `now` until `total` points are done at rate(); at least 0; NaN if
  /// rate() is.
  double seconds_left(double now, int64_t total) const;
  /// Returns whether nothing has been written for so long that the computation may have ended.
  bool stalled(double now) const;
  /// Returns the seconds since the file was last written; 0 before the first.
  double idle(double now) const;

 private:
  struct Observation {
    double seconds;
    int64_t done;
  };
  std::deque<Observation> seen_;
};

}  // namespace topograd
