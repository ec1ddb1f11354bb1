// A progress bar on a terminal; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace topograd {

/// Progress bar on stderr, drawn at most five times a second, and only if stderr is a terminal:
/// logs and pipes get plain lines from the program itself.
class ProgressBar {
 public:
  /// Starts the clock; `done` of `total` items were finished before (a resumed run).
  explicit ProgressBar(int64_t total, int64_t done = 0);
  ~ProgressBar();
  /// Returns whether update() would draw, so that costly texts are made only then.
  bool due(int64_t done) const;
  /// Draws the bar if due, between `label` and `detail`.
  void update(int64_t done, const std::string& label, const std::string& detail);
  /// Removes the bar, so that a line can be printed; the next update draws it again.
  void clear();
  double seconds() const;
  /// Returns the seconds left at the pace so far.
  double seconds_left(int64_t done) const;

 private:
  using Clock = std::chrono::steady_clock;
  int64_t total_, first_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
  bool terminal_;
  bool visible_ = false;
};

}  // namespace topograd
