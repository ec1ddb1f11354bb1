// Direction files, in the layout of the paper's authors' implementation: groups "xdirection" and
// "ydirection" of HDF5 datasets "0", "1", ..., one f32 tensor each, convolutions as OIHW, in the
// order of PyTorch's parameters() (weights) or state_dict() (states).
#pragma once

#include <optional>
#include <string>

#include "landscape/directions/direction.h"
#include "landscape/results/provenance.h"

namespace topograd {

struct Directions {
  Direction x;
  std::optional<Direction> y;  ///< nullopt for a line
};

/// Further lists of numbers by name, such as the authors' explained_variance_ratio_ of a PCA.
using DirectionNumbers = std::map<std::string, std::vector<double>>;

/// Writes the file atomically; the provenance becomes attributes, which the authors' tools ignore.
/// Throws Error if a direction does not fit the layout, or lacks states with DirectionType::states.
void write_directions(const std::string& path, const ParameterLayout& layout, DirectionType type,
                      const Direction& x, const std::optional<Direction>& y = {},
                      const Provenance& provenance = {}, const DirectionNumbers& numbers = {});

/// Reads a direction file, ours or the authors', whose files of states also hold a scalar
/// num_batches_tracked after each running variance: it is skipped. Throws Error if the number or
/// the shapes of the tensors are not the model's, or a value is not finite.
Directions read_directions(const std::string& path, const ParameterLayout& layout,
                           DirectionType type);

}  // namespace topograd
