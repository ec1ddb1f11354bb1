// How panels of measures are shown: as tables, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

struct NamedPanel {
  std::string label;  ///< the network's name in tables
  SharpnessPanel panel;
};

/// Returns short labels that tell files apart: what their networks are called, or whole paths.
std::vector<std::string> labels_of(const std::vector<std::string>& paths);

/// Returns "0.0123 +- 0.0004".
std::string shown(const Estimate& estimate);

/// Prints a row for every measure that one of the panels has, with a column for each panel, unit
/// and settings.
void print_panels(const std::vector<NamedPanel>& panels);

/// Prints every measure before and after the rescaling, and whether it moved: whether the ratio is
/// off 1 by more than `tolerance`.
void print_reparametrisation(const SharpnessPanel& panel, double tolerance);

/// Prints Spearman's and Kendall's rank correlation of every measure with the measure `against`
/// over the networks, with p-values by permutations and intervals by the bootstrap. For fewer than
/// three networks, prints only a line that says so.
void print_rank_correlations(const std::vector<NamedPanel>& panels, const std::string& against,
                             uint64_t seed);

/// Writes the panels' records, a list in JSON, with the labels as titles.
void write_json(const std::vector<NamedPanel>& panels, const std::string& path);

}  // namespace topograd
