#include "apps/landscape/watch/watch_status.h"

#include <cmath>

#include "apps/common/progress.h"
#include "kernels/core/check.h"
#include "kernels/core/format.h"

namespace topograd {

WatchStatus status_of(const Surface& surface, const std::string& plane,
                      const ProgressEstimate& progress, double now) {
  WatchStatus status;
  status.done = surface.done_count();
  status.total = surface.points();
  status.rate = progress.rate();
  status.seconds_left = progress.seconds_left(now, status.total);
  status.idle = progress.idle(now);
  status.stalled = !status.finished() && progress.stalled(now);
  const auto least = minimum(surface, plane);
  if (least.first < 0) return status;
  const auto ix = static_cast<size_t>(least.first % surface.nx());
  const auto iy = static_cast<size_t>(least.first / surface.nx());
  status.smallest = {least.second, surface.x()[ix],
                     surface.is_line() ? std::nullopt : std::optional(surface.y()[iy])};
  return status;
}

std::string progress_words(const WatchStatus& status) {
  std::string words =
      text(status.done, " of ", status.total, " points, ", 100 * status.done / status.total, " %");
  if (status.finished()) return words + ", finished";
  if (status.rate > 0)
    words += text(", ", decimals(status.rate, status.rate < 1 ? 3 : 1), " points/s");
  if (status.stalled) return words + text(", nothing new for ", clock_text(status.idle));
  if (status.rate > 0) words += text(", ", clock_text(status.seconds_left), " left");
  return words;
}

std::string smallest_words(const WatchStatus& status) {
  if (!status.smallest) return "no finite value yet";
  std::string words = text("smallest ", status.smallest->value, " at alpha ", status.smallest->x);
  if (status.smallest->y) words += text(", beta ", *status.smallest->y);
  return words;
}

}  // namespace topograd
