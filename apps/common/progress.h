// A progress bar on a terminal; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace topograd {

/// Draws on stderr, at most five times a second, and only where stderr is a terminal: logs and
/// pipes get plain lines from the program itself.
class ProgressBar {
 public:
  /// `done` of `total` items were finished before this process began (a resumed run).
  explicit ProgressBar(int64_t total, int64_t done = 0);
  ~ProgressBar();
  /// Whether update() would draw: what it is to say may cost something to find out.
  bool due(int64_t done) const;
  /// `label` stands before the bar, `detail` after it.
  void update(int64_t done, const std::string& label, const std::string& detail);
  /// Removes the bar, so that a line can be printed; the next update draws it again.
  void clear();
  double seconds() const;
  /// Seconds left at the pace so far.
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
