#include "apps/common/run_plan.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "apps/common/console.h"
#include "kernels/core/format.h"

namespace topograd::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongSeconds = 60;
constexpr double kMeasuredSeconds = 1;
constexpr double kShortest = 0.05;  // seconds of work that say something of the pace

double seconds_since(Clock::time_point start) {
  return std::max(std::chrono::duration<double>(Clock::now() - start).count(), 1e-9);
}

std::string threads_of(const ThreadPool& pool, int processes) {
  return text(" with ", pool.threads(), pool.threads() == 1 ? " thread" : " threads",
              processes > 1 ? text(" in each of ", processes, " processes") : "");
}

}  // namespace

void add_dry_run_option(Options& options, bool& dry_run) {
  options.group("Run").flag(
      "dry-run", dry_run,
      "say what would be computed, where to and for how long about, write nothing, and stop");
}

double seconds_of(const std::function<void()>& work) {
  const Clock::time_point start = Clock::now();
  work();
  return seconds_since(start);
}

double seconds_per_item(int64_t first, const std::function<double(int64_t items)>& work,
                        Measurement measurement) {
  const double budget = measurement == Measurement::thorough ? kMeasuredSeconds : 0;
  const Clock::time_point begin = Clock::now();
  double best = std::numeric_limits<double>::infinity();
  int64_t items = first;
  for (int calls = 0; calls < 2 || seconds_since(begin) < budget; ++calls) {
    const double seconds = work(items);
    best = std::min(best, seconds / static_cast<double>(items));
    if (seconds < kShortest) items *= 4;
  }
  return best;
}

double fastest_seconds(const std::function<void()>& work, Measurement measurement) {
  const double budget = measurement == Measurement::thorough ? kMeasuredSeconds : 0;
  const Clock::time_point begin = Clock::now();
  double best = std::numeric_limits<double>::infinity();
  for (int calls = 0; calls < 2 || seconds_since(begin) < budget; ++calls)
    best = std::min(best, seconds_of(work));
  return best;
}

std::string words_for(const RunPlan& plan, const ThreadPool& pool, int processes) {
  return text(plan.output, ": ", plan.what, "; about ", clock_text(plan.seconds),
              threads_of(pool, processes), plan.bound.empty() ? "" : ", ", plan.bound);
}

bool goes_on(bool dry_run, const MakePlans& plans, const ThreadPool& pool, Observer& observer,
             int processes) {
  // The emulator's pace says nothing of a GPU's, and takes its time: only who asks is told.
  if (!dry_run && (pool.device() == Device::simt || !console().is_watched())) return true;
  const std::vector<RunPlan> all = plans(dry_run ? Measurement::thorough : Measurement::brief);
  double seconds = 0;
  for (const RunPlan& plan : all) seconds += plan.seconds;
  if (!dry_run && seconds <= kLongSeconds) return true;
  for (const RunPlan& plan : all) observer.note(words_for(plan, pool, processes));
  if (all.size() > 1) observer.note(text("together about ", clock_text(seconds)));
  return !dry_run;
}

}  // namespace topograd::cli
