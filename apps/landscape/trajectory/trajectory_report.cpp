#include "apps/landscape/trajectory/trajectory_report.h"

#include <algorithm>
#include <cmath>

#include "apps/common/console.h"
#include "apps/common/table.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

std::string number(double value) {
  return std::isnan(value) ? "nan" : significant(value, 5);
}

std::string percent(double share) {
  return decimals(100 * share, 1);
}

std::string shares(const std::vector<double>& values) {
  std::string shown;
  for (size_t k = 0; k < std::min<size_t>(values.size(), 5); ++k)
    shown += (k == 0 ? "" : ", ") + percent(values[k]);
  return shown + (values.size() > 5 ? ", ... %" : " %");
}

}  // namespace

void print_trajectory(const TrajectoryResults& results, const std::vector<std::string>& sets) {
  std::vector<std::vector<std::string>> rows = {
      {"epoch", "x", "y", "from the end", "off the plane"}};
  for (const std::string& set : sets)
    for (const char* what : {" loss", " loss in the plane"}) rows[0].push_back(set + what);
  for (size_t e = 0; e < results.epochs.size(); ++e) {
    const PlaneCoordinates& at = results.coordinates;
    rows.push_back({number(results.epochs[e]), number(at.x[e]), number(at.y[e]),
                    number(at.length[e]), number(at.distance[e])});
    for (const std::string& set : sets)
      for (const Surface* losses : {&results.own, &results.projected})
        rows.back().push_back(number(losses->plane(set + "_loss")[e]));
  }
  print_table(rows);
  cli::out() << "the plane holds " << percent(results.in_plane) << " % of the variance of the "
             << results.count() << " checkpoints\n";
  if (results.explained.empty()) return;
  cli::out() << "principal components explain " << shares(results.explained)
             << "\nof a random walk     they explain " << shares(results.random_walk) << '\n';
}

}  // namespace topograd
