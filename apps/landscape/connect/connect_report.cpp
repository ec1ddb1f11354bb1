#include "apps/landscape/connect/connect_report.h"

#include <algorithm>
#include <cmath>

#include "apps/common/console.h"
#include "apps/common/table.h"
#include "kernels/core/check.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

/// Returns path and BatchNorm statistics in words, the two parts of "aligned/recompute".
std::pair<std::string, std::string> words_for(const std::string& key) {
  const size_t slash = key.find('/');
  const std::string kind = key.substr(0, slash), bn = key.substr(slash + 1);
  const std::string path = kind == "line"      ? "straight line"
                           : kind == "aligned" ? "line to aligned B"
                                               : "curve";
  return {path, bn == "states" ? "interpolated" : bn == "recompute" ? "re-estimated" : "none"};
}

/// Returns the largest of the values; NaN if one is NaN.
double largest_of(const std::vector<double>& values) {
  double largest = values.front();
  for (double value : values) {
    if (std::isnan(value)) return value;
    largest = std::max(largest, value);
  }
  return largest;
}

std::vector<std::string> row_of(const ConnectivityResults& results, const std::string& key,
                                const std::string& set) {
  const PathValues& path = results.paths.at(key);
  const std::vector<double>& loss = path.values.at(set + "_loss");
  const std::vector<double>& accuracy = path.values.at(set + "_acc");
  const Barrier barrier = barrier_of(results.t, path, set + "_loss");
  const auto [name, statistics] = words_for(key);
  return {name,
          statistics,
          set,
          significant(loss.front(), 4),
          significant(loss.back(), 4),
          significant(largest_of(loss), 4),
          significant(barrier.height, 4),
          significant(barrier.at, 3),
          significant(*std::min_element(accuracy.begin(), accuracy.end()), 4),
          significant(barrier_of(results.t, path, set + "_acc").height, 4)};
}

/// Prints a table of every complete path's barriers.
void print_paths(const ConnectivityResults& results) {
  std::vector<std::vector<std::string>> table = {{"path", "BatchNorm", "images", "loss at A",
                                                  "at B", "highest", "barrier", "at t",
                                                  "lowest accuracy", "barrier"}};
  for (const std::string& key : complete_paths(results))
    for (const char* set : {"train", "test"})
      if (results.paths.at(key).values.contains(std::string(set) + "_loss"))
        table.push_back(row_of(results, key, set));
  print_table(table);
}

}  // namespace

void print_connectivity(const ConnectivityResults& results, const std::string& output,
                        const ConnectivitySettings& settings) {
  const Provenance& p = results.provenance;
  cli::out() << output << ": from " << p.at("model_file") << " to " << p.at("to_model_file") << ", "
             << p.at("model_name") << ", " << p.at("images") << " images, " << p.at("data") << ", "
             << p.at("loss") << ", " << results.t.size() << " points\n";
  if (const auto& found = results.alignment; !found.empty()) {
    cli::out() << "aligned: " << found.at("groups") << " groups of channels in "
               << found.at("sweeps") << " sweeps; |A - B| "
               << significant(found.at("distance_before"), 4) << " -> "
               << significant(found.at("distance"), 4) << "; the same function: logits differ by "
               << significant(found.at("logit_difference"), 2) << " of the largest\n";
    if (!settings.aligned_path.empty()) cli::out() << "wrote " << settings.aligned_path << '\n';
  }
  if (settings.curve)
    cli::out() << "wrote the curve's control point, " << settings.control_path << ", trained on "
               << (settings.curve->images > 0 ? text("the first ", settings.curve->images)
                                              : std::string("all"))
               << " training images\n";
  print_paths(results);
}

}  // namespace topograd
