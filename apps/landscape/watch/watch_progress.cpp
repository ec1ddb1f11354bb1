#include "apps/landscape/watch/watch_progress.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace topograd {

namespace {

constexpr double kWindow = 120;        // seconds: follows changes without jitter
constexpr double kShortestStall = 60;  // seconds; the programs save every five
constexpr double kStallIntervals = 5;  // or so many times the usual pause between two files

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void ProgressEstimate::observe(double seconds, int64_t done) {
  if (!seen_.empty() && done <= seen_.back().done) seen_.clear();
  seen_.push_back({seconds, done});
  // Keep the observation before the window: the pace is over the whole window.
  while (seen_.size() > 2 && seen_[1].seconds <= seconds - kWindow) seen_.pop_front();
}

double ProgressEstimate::rate() const {
  if (seen_.size() < 2 || !(seen_.back().seconds > seen_.front().seconds))
    return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(seen_.back().done - seen_.front().done) /
         (seen_.back().seconds - seen_.front().seconds);
}

double ProgressEstimate::seconds_left(double now, int64_t total) const {
  const double points_per_second = rate();
  if (!(points_per_second > 0)) return points_per_second;
  const double at_last = static_cast<double>(total - seen_.back().done) / points_per_second;
  return std::max(0.0, at_last - idle(now));
}

double ProgressEstimate::idle(double now) const {
  return seen_.empty() ? 0 : std::max(0.0, now - seen_.back().seconds);
}

bool ProgressEstimate::stalled(double now) const {
  if (seen_.empty()) return false;
  const double pauses = static_cast<double>(seen_.size() - 1);
  const double usual = pauses > 0 ? (seen_.back().seconds - seen_.front().seconds) / pauses : 0;
  return idle(now) > std::max(kShortestStall, kStallIntervals * usual);
}

}  // namespace topograd
