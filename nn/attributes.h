// Attributes: what makes a layer, beside its inputs and its weights, by the names that a graph's
// file has for it (nn/graph_file.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace topograd {

using Attribute = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

/// Attributes in the order in which a file lists them; those at their default are left out.
using Attributes = std::vector<std::pair<std::string, Attribute>>;

}  // namespace topograd
