// How fast a computation is, from its file alone.
#pragma once

#include <cstdint>
#include <deque>

namespace topograd {

/// Seconds of the steady clock.
double steady_seconds();

/// Times are seconds of any one clock that does not go back.
class ProgressEstimate {
 public:
  /// The file held `done` points when it was written at `seconds`. As many as before mean that the
  /// computation has just begun, or begun again: its pace counts from there. Fewer: another one.
  void observe(double seconds, int64_t done);

  /// Points per second over the last two minutes, or the last two files; NaN until the count has
  /// grown.
  double rate() const;
  /// Seconds from `now` until `total` are done, at that pace; never below 0; NaN as for rate().
  double seconds_left(double now, int64_t total) const;
  /// Whether nothing has been written for so long that the computation may have ended.
  bool stalled(double now) const;
  /// Seconds since the file was written last; 0 before the first.
  double idle(double now) const;

 private:
  struct Observation {
    double seconds;
    int64_t done;
  };
  std::deque<Observation> seen_;
};

}  // namespace topograd
