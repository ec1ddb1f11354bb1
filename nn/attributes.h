// Attributes: what makes a layer, beside its inputs and its weights, by the names that a graph's
// file has for it (nn/graph_file.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/core/per_axis.h"

namespace topograd {

using Attribute = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

/// Attributes in the order in which a file lists them; those at their default are left out.
using Attributes = std::vector<std::pair<std::string, Attribute>>;

/// Returns one number for two that are equal, or both: that of the height first.
inline Attribute attribute_of(PerAxis numbers) {
  if (numbers.h == numbers.w) return int64_t{numbers.h};
  return std::vector<int64_t>{numbers.h, numbers.w};
}

}  // namespace topograd
