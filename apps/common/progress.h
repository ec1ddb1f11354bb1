// A progress line on a terminal; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace topograd {

/// What a progress line says.
struct Progress {
  std::string label;   ///< what is being done: "surface"
  double share = 0;    ///< of the work, 0 to 1
  std::string detail;  ///< where it stands: "120/2601 points"
  std::string left;    ///< the time that is left: "3:20"
};

/// Returns a progress line of at most so many columns, for what does not fit in: the bar is drawn
/// shorter, then left out; then the detail is cut, then the label.
std::string progress_line(const Progress& progress, int columns);

/// Progress on stderr, only if that is a terminal: logs and pipes get plain lines from the program
/// itself. The line is drawn at most five times a second, within the terminal's width. A terminal
/// that cannot erase (TERM=dumb, or unset) gets a line of its own every ten seconds.
class ProgressBar {
 public:
  /// Starts the clock; `done` of `total` items were finished before (a resumed run).
  explicit ProgressBar(int64_t total, int64_t done = 0);
  ~ProgressBar();
  /// Returns whether update() would draw, so that costly texts are made only then.
  bool due(int64_t done) const;
  /// Draws the line if due, with `label` and `detail`.
  void update(int64_t done, const std::string& label, const std::string& detail);
  /// Removes the line, so that another can be printed; the next update draws it again.
  void clear();
  double seconds() const;
  /// Returns the seconds left at the pace so far.
  double seconds_left(int64_t done) const;

 private:
  using Clock = std::chrono::steady_clock;
  int64_t total_, first_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
  bool terminal_, erases_;
  bool visible_ = false;
};

}  // namespace topograd
