// The panel of measures of one network: their names, units and values, and the file they are in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "landscape/results/record.h"
#include "landscape/sharpness/measures.h"

namespace topograd {

/// The definition of a measure, whatever the network.
struct MeasureKind {
  std::string_view name;  ///< its name in files, options and tables
  std::string_view unit;
  std::string_view definition;  ///< one line
  /// Whether a network that was rescaled without changing its function has the same, for reasons
  /// that need no measurement.
  bool invariant;
};

/// Returns all kinds of measures, in a panel's order.
const std::vector<MeasureKind>& measure_kinds();
/// Returns the kind of this name. Throws Error that lists them for any other.
const MeasureKind& measure_kind(std::string_view name);

/// A measured number with what it depends on.
struct Measure {
  std::string name;
  Estimate estimate;
  std::string settings;  ///< "rho 0.05, 1 step"; equal settings may be compared
};

/// A loss along a line, before and after the network was rescaled.
struct RescaledSlice {
  std::string name;  ///< "filter" or "plain": how the direction was scaled
  std::vector<double> alpha, before, after;
  /// The largest |after - before|.
  double largest_difference() const;
};

/// The network after a rescaling that leaves its function as it is.
struct ReparametrisationTest {
  std::string description;          ///< what was rescaled
  double largest_logit = 0;         ///< largest |logit| over the images
  double largest_difference = 0;    ///< largest difference between the logits
  std::vector<Measure> measures{};  ///< the rescaled network's
  std::vector<RescaledSlice> slices{};
  uint64_t slice_seed = 0;  ///< seed of the slices' directions; 0: not known
};

struct SharpnessPanel {
  Provenance provenance;
  std::vector<Measure> measures;  ///< in any order
  std::optional<ReparametrisationTest> test;

  const Measure* find(std::string_view name) const { return find_measure(measures, name); }
  static const Measure* find_measure(const std::vector<Measure>& measures, std::string_view name);
  /// Puts a measure in place of one of the same name.
  static void put(std::vector<Measure>& measures, const Measure& measure);

  /// Writes the file atomically: HDF5, a group for each measure (docs/files.md). Equal panels give
  /// files equal to the byte.
  void save(const std::string& path) const;
  /// Reads a file of save(). Throws Error for any other file.
  static SharpnessPanel load(const std::string& path);
  /// Returns a table with a row for each measure, and the slices of the rescaling.
  Record record() const;
  /// Whether a file is one of save(): HDF5, and says so.
  static bool is_panel(const std::string& path);
};

}  // namespace topograd
