// The operations that a graph's file may name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nn/node_reader.h"

namespace topograd {

/// An operation of a file: how many inputs it takes, and the method of Graph behind it.
struct GraphOperation {
  std::string_view name;
  size_t least, most;  ///< inputs
  /// Appends the node to a graph, under this name where it has parameters.
  Value (*append)(Graph& graph, std::span<const Value> x, const std::string& name,
                  NodeReader& node);
};

/// Returns the operation of this name. Throws Error that lists them for any other.
const GraphOperation& graph_operation_named(const std::string& name);

}  // namespace topograd
