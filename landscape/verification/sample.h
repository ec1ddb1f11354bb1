// Which of a result's points are computed anew to verify it, and what that can tell.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// Points of a result by the mask that says which are done: "done", "projected_done",
/// "paths/line/states/done". Indices are those of the masks' elements, in ascending order.
using PointSample = std::map<std::string, std::vector<int64_t>>;

/// Returns the points that are done, under every mask of the record.
PointSample points_done(const Record& record);

/// Returns the number of points.
int64_t count_of(const PointSample& points);

/// Returns `count` of the points, each set of as many as likely as any other; all if there are not
/// as many. Equal seeds give equal samples.
PointSample sample_of(const PointSample& points, int64_t count, uint64_t seed);

/// Returns the record with these points to do: masks 0, values NaN.
Record without(Record record, const PointSample& points);

/// Returns the probability that at least one of `altered` points is among `sampled` ones, drawn
/// from `points` without replacement: 1 - C(points - altered, sampled) / C(points, sampled).
double probability_of_noticing(int64_t points, int64_t sampled, int64_t altered);

/// Returns the smallest number of altered points that is noticed with at least this probability.
int64_t fewest_noticed(int64_t points, int64_t sampled, double probability);

}  // namespace topograd
