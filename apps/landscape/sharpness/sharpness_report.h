// How panels of measures are shown: as tables, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

struct NamedPanel {
  std::string label;  ///< the network's, in tables
  SharpnessPanel panel;
};

/// Short labels that tell files apart: their stems without "_sharpness", or all of the paths.
std::vector<std::string> labels_of(const std::vector<std::string>& paths);

/// "0.0123 +- 0.0004".
std::string shown(const Estimate& estimate);

/// A row for every measure that one of the panels has, a column for each panel, unit and settings.
void print_panels(const std::vector<NamedPanel>& panels);

/// Which numbers the rescaling moved: those whose ratio leaves 1 by more than `tolerance`.
void print_reparametrisation(const SharpnessPanel& panel, double tolerance);

/// Against `against`, a measure: Spearman's and Kendall's rank correlation of every measure over
/// the networks, with what permutations and the bootstrap say of them. Nothing for fewer than three
/// networks, but a line that says so.
void print_rank_correlations(const std::vector<NamedPanel>& panels, const std::string& against,
                             uint64_t seed);

/// Writes the panels' records, a list in JSON, with the labels as titles.
void write_json(const std::vector<NamedPanel>& panels, const std::string& path);

}  // namespace topograd
