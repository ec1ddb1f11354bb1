// What a long computation will be, said before it begins: by --dry-run, and in terminals of
// whatever takes more than a minute.
//
// A command describes each of its results as a RunPlan, with seconds from a measurement of a second
// of its own work, and asks goes_on() before it computes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "kernels/core/thread_pool.h"
#include "landscape/results/observer.h"

namespace topograd::cli {

/// Computation ahead.
struct RunPlan {
  std::string output{};  ///< where its result goes
  std::string what{};   ///< "5x5 points around a, resnet20, each over 512 CIFAR-10 training images"
  double seconds = 0;   ///< for about how long
  std::string bound{};  ///< behind that, where it may take longer: "at most 3:20, ..."
};

/// Declares --dry-run in the group "Run".
void add_dry_run_option(Options& options, bool& dry_run);

/// How long a measurement may take: a second, or two calls of what is measured.
enum class Measurement { thorough, brief };

/// Returns the seconds of one call of `work` at its fastest: the first one has caches to fill, and
/// others may be at work.
double fastest_seconds(const std::function<void()>& work, Measurement measurement);

/// Returns the seconds that an item takes at its fastest. `work` does so many items and returns the
/// seconds that they took; it begins with `first` of them, and does more while that takes less than
/// a twentieth of a second.
double seconds_per_item(int64_t first, const std::function<double(int64_t items)>& work,
                        Measurement measurement);

/// Returns the seconds that a call takes.
double seconds_of(const std::function<void()>& work);

/// Returns a plan as it is said: "s.h5: 5x5 points around ...; about 0:12 with 2 threads".
std::string words_for(const RunPlan& plan, const ThreadPool& pool, int processes = 1);

/// Makes the plans, one for each result, measuring no longer than it is told.
using MakePlans = std::function<std::vector<RunPlan>(Measurement)>;

/// Says the plans where that is asked for (`dry_run`), and in a terminal where they take more than a
/// minute together. Returns whether to compute them: not in a dry run.
bool goes_on(bool dry_run, const MakePlans& plans, const ThreadPool& pool, Observer& observer,
             int processes = 1);

}  // namespace topograd::cli
