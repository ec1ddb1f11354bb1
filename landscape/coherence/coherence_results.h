// The coherence of minibatch gradients at several networks, and its file.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "landscape/coherence/gradient_sampler.h"
#include "landscape/results/record.h"

namespace topograd {

/// Name of a statistic in files, and its member.
using CoherenceQuantity = std::pair<const char*, double CoherenceStatistics::*>;
extern const std::array<CoherenceQuantity, 9> kCoherenceQuantities;

/// The coherence at one network.
struct CoherenceRow {
  std::string model_name;  ///< "resnet20 (option B, width 16)"
  std::string model_file, model_hash;
  std::string data_hash;  ///< networks may expect other normalisations of the same images
  double epoch = 0;       ///< epoch of its training; NaN where that is not known
  Coherence coherence;
  std::vector<std::string> layers;  ///< the names of coherence.layers
};

/// Rows of networks, which are computed one after the other and kept as they are done.
struct CoherenceResults {
  Provenance provenance;
  std::vector<CoherenceRow> rows;

  /// Writes the file atomically: HDF5 (docs/files.md). Equal results give files equal to the byte.
  void save(const std::string& path) const;
  static CoherenceResults load(const std::string& path);
  /// Returns all of it under the file's names, with a table that has a row for each network.
  Record record() const;
};

}  // namespace topograd
