#include "apps/connect_report.h"

#include <algorithm>

#include "apps/table.h"
#include "kernels/core/check.h"

namespace topograd {

namespace {

/// The parts of "aligned/recompute" for a person.
std::pair<std::string, std::string> words_for(const std::string& key) {
  const size_t slash = key.find('/');
  const std::string kind = key.substr(0, slash), bn = key.substr(slash + 1);
  const std::string path = kind == "line"      ? "straight line"
                           : kind == "aligned" ? "line to aligned B"
                                               : "curve";
  return {path, bn == "states" ? "interpolated" : bn == "recompute" ? "re-estimated" : "none"};
}

/// As short as five of them below a picture have to be: "aligned (recompute)".
std::string label_of(const std::string& key) {
  const size_t slash = key.find('/');
  const std::string bn = key.substr(slash + 1);
  return key.substr(0, slash) + (bn == "none" ? "" : " (" + bn + ")");
}

/// In the order in which paths come into being.
std::vector<std::string> complete_paths(const ConnectivityResults& results) {
  std::vector<std::string> keys;
  for (const char* kind : {"line/", "aligned/", "curve/"})
    for (const char* bn : {"states", "recompute", "none"}) {
      const auto found = results.paths.find(std::string(kind) + bn);
      if (found != results.paths.end() && found->second.complete()) keys.push_back(found->first);
    }
  return keys;
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
          significant(*std::max_element(loss.begin(), loss.end()), 4),
          significant(barrier.height, 4),
          significant(barrier.at, 3),
          significant(*std::min_element(accuracy.begin(), accuracy.end()), 4),
          significant(barrier_of(results.t, path, set + "_acc").height, 4)};
}

}  // namespace

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

std::vector<NamedFigure> path_figures(const ConnectivityResults& results) {
  const Provenance& p = results.provenance;
  std::vector<NamedFigure> figures;
  for (const std::string set : {"train", "test"}) {
    CurveView curves;
    curves.x = results.t;
    for (const std::string& key : complete_paths(results))
      if (results.paths.at(key).values.contains(set + "_loss"))
        curves.more.push_back({label_of(key), results.paths.at(key).values.at(set + "_loss")});
    if (curves.more.empty()) continue;
    FigureOptions figure;
    figure.title = value_of(p, "model_name");
    figure.subtitle = text("from ", value_of(p, "model_file"), " (t = 0) to ",
                           value_of(p, "to_model_file"), " (t = 1)");
    const bool none = results.paths.contains("line/none");
    figure.x_label = none ? "t" : "t (in brackets: BatchNorm's statistics)";
    figure.y_label = text(set, " loss, ", value_of(p, "loss"));
    figure.footer =
        text("models ", value_of(p, "model_hash"), " and ", value_of(p, "to_model_hash"), "  data ",
             value_of(p, "data_hash"), "  Topograd ", value_of(p, "version"));
    figures.push_back({set + "_loss", curve_figure(curves, figure)});
  }
  return figures;
}

}  // namespace topograd
