#include "apps/landscape/sharpness/sharpness_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "apps/common/console.h"
#include "apps/common/table.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "landscape/results/record_json.h"
#include "landscape/results/result_names.h"
#include "landscape/sharpness/rank_correlation.h"

namespace topograd {

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Returns the settings of a measure, if all panels that have it agree.
std::string settings_of(const std::vector<NamedPanel>& panels, std::string_view name) {
  std::set<std::string> all;
  for (const NamedPanel& named : panels)
    if (const Measure* measure = named.panel.find(name)) all.insert(measure->settings);
  return all.size() == 1 ? *all.begin() : "settings differ: not comparable";
}

bool anyone_has(const std::vector<NamedPanel>& panels, std::string_view name) {
  return std::any_of(panels.begin(), panels.end(),
                     [&](const NamedPanel& named) { return named.panel.find(name) != nullptr; });
}

std::string ratio_of(double before, double after) {
  return before == 0 && after == 0 ? "1" : significant(after / before, 4);
}

bool unchanged(double before, double after, double tolerance) {
  return before == after || std::abs(after / before - 1) <= tolerance;
}

/// Returns the smallest and the largest; NaN if one of the values is NaN.
Interval range_of(const std::vector<double>& values) {
  Interval range{values.front(), values.front()};
  for (double value : values) {
    if (std::isnan(value)) return {value, value};
    range = {std::min(range.low, value), std::max(range.high, value)};
  }
  return range;
}

/// Pairs of a measure and the one that it is correlated with, for the networks that have both.
struct Pairs {
  std::vector<double> x, y;
};
Pairs pairs_of(const std::vector<NamedPanel>& panels, std::string_view name,
               std::string_view against) {
  Pairs pairs;
  for (const NamedPanel& named : panels) {
    const Measure* x = named.panel.find(name);
    const Measure* y = named.panel.find(against);
    if (!x || !y || std::isnan(x->estimate.value) || std::isnan(y->estimate.value)) continue;
    pairs.x.push_back(x->estimate.value);
    pairs.y.push_back(y->estimate.value);
  }
  return pairs;
}

std::string interval(const Interval& i) {
  if (std::isnan(i.low)) return "-";
  return text(significant(i.low, 2), " .. ", significant(i.high, 2));
}

}  // namespace

std::vector<std::string> labels_of(const std::vector<std::string>& paths) {
  std::vector<std::string> labels;
  for (const std::string& path : paths) {
    std::filesystem::path file(path);
    std::string stem = file.stem().string();
    const std::string suffix = "_sharpness";
    if (stem.size() > suffix.size() && stem.ends_with(suffix))
      stem.resize(stem.size() - suffix.size());
    labels.push_back(network_name(file.replace_filename(stem + ".safetensors").string()));
  }
  const std::set<std::string> different(labels.begin(), labels.end());
  return different.size() == labels.size() ? labels : paths;
}

std::string shown(const Estimate& estimate) {
  const std::string value = significant(estimate.value, 4);
  if (!std::isnan(estimate.low))
    return text(value, " (", significant(estimate.low, 3), " .. ", significant(estimate.high, 3),
                ")");
  if (std::isnan(estimate.standard_error)) return value;
  return text(value, " +- ", significant(estimate.standard_error, 2));
}

void print_panels(const std::vector<NamedPanel>& panels) {
  Rows rows = {{"measure"}};
  for (const NamedPanel& named : panels) rows[0].push_back(named.label);
  rows[0].insert(rows[0].end(), {"unit", "settings"});
  for (const MeasureKind& kind : measure_kinds()) {
    if (!anyone_has(panels, kind.name)) continue;
    auto& row = rows.emplace_back(1, std::string(kind.name));
    for (const NamedPanel& named : panels) {
      const Measure* measure = named.panel.find(kind.name);
      row.push_back(measure ? shown(measure->estimate) : "-");
    }
    row.insert(row.end(), {std::string(kind.unit), settings_of(panels, kind.name)});
  }
  print_table(rows, 1, panels.size() + 1);
}

void print_reparametrisation(const SharpnessPanel& panel, double tolerance) {
  const ReparametrisationTest& test = *panel.test;
  cli::out() << "rescaled: " << test.description << "\nthe same function: logits up to "
             << significant(test.largest_logit, 4) << " differ by at most "
             << significant(test.largest_difference, 3) << '\n';
  Rows rows = {{"measure", "before", "after", "ratio", text("within ", 100 * tolerance, " %"),
                "by construction"}};
  for (const Measure& after : test.measures) {
    const Measure* before = panel.find(after.name);
    if (!before) continue;
    const double was = before->estimate.value, is = after.estimate.value;
    rows.push_back({after.name, significant(was), significant(is), ratio_of(was, is),
                    unchanged(was, is, tolerance) ? "unchanged" : "moved",
                    measure_kind(after.name).invariant ? "invariant" : "-"});
  }
  print_table(rows, 1, 4);
  for (const RescaledSlice& slice : test.slices) {
    const Interval before = range_of(slice.before);
    cli::out() << "slice along a "
               << (slice.name == "filter" ? "filter-normalised" : "plain normal")
               << " direction, alpha from " << significant(slice.alpha.front()) << " to "
               << significant(slice.alpha.back()) << ": losses differ by at most "
               << significant(slice.largest_difference(), 3) << " (from "
               << significant(before.low, 4) << " to " << significant(before.high, 4)
               << " before)\n";
  }
}

void print_rank_correlations(const std::vector<NamedPanel>& panels, const std::string& against,
                             uint64_t seed) {
  size_t most = 0;
  Rows rows = {{"measure", "n", "Spearman", "p", "95 %", "Kendall", "p", "95 %"}};
  for (const MeasureKind& kind : measure_kinds()) {
    const Pairs pairs = pairs_of(panels, kind.name, against);
    if (kind.name == against || pairs.x.size() < 3 ||
        settings_of(panels, kind.name).starts_with("settings differ"))
      continue;
    most = std::max(most, pairs.x.size());
    auto& row = rows.emplace_back(1, std::string(kind.name));
    row.push_back(text(pairs.x.size()));
    for (RankCorrelation which : {RankCorrelation::spearman, RankCorrelation::kendall}) {
      const double found = which == RankCorrelation::spearman ? spearman(pairs.x, pairs.y)
                                                              : kendall(pairs.x, pairs.y);
      const PermutationTest test = permutation_test(pairs.x, pairs.y, which, seed);
      row.insert(row.end(), {significant(found, 3), significant(test.p, 2),
                             interval(bootstrap_interval(pairs.x, pairs.y, which, seed))});
    }
  }
  if (rows.size() == 1) {
    cli::out() << "no rank correlations with " << against
               << (panels.size() < 3
                       ? ": they need three networks or more"
                       : ": it was not measured of three networks or more; --measures "
                         "may name it, too")
               << '\n';
    return;
  }
  cli::out() << "rank correlation with " << against
             << "; p: two-sided, over all orders of one side (above 8 networks over 20,000 random "
                "ones)";
  if (most <= 8)
    cli::out() << ": of " << most << " networks no p is below "
               << significant(2 / std::tgamma(static_cast<double>(most) + 1), 2);
  cli::out() << "; 95 %: bootstrap over networks, from 5 of them on\n";
  print_table(rows);
}

void write_json(const std::vector<NamedPanel>& panels, const std::string& path) {
  std::vector<Record> records;
  for (const NamedPanel& named : panels) {
    records.push_back(named.panel.record());
    records.back().title = named.label;
  }
  write_file_atomically(path, json_of(records));
}

}  // namespace topograd
