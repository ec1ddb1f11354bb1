// A graph as text: its nodes, their attributes and names as JSON, short enough to be written by
// hand. docs/files.md lists the operations and their attributes.
//   {"format": "topograd-graph-1", "name": "small", "image": [32, 32, 3], "nodes": [
//     {"name": "conv1", "op": "conv2d", "inputs": ["input"], "filters": 16, "kernel": 3, "padding": 1},
//     {"name": "relu1", "op": "relu", "inputs": ["conv1"]},
//     {"name": "pool1", "op": "global_average_pool", "inputs": ["relu1"]},
//     {"name": "fc", "op": "linear", "inputs": ["pool1"], "outputs": 10}]}
#pragma once

#include <string>

#include "nn/graph.h"

namespace topograd {

struct NamedGraph {
  std::string name;
  Graph graph;
};

/// Returns the text of a graph; on one line, or where it is for a reader a line for each node.
std::string graph_json(const Graph& graph, const std::string& name, bool for_reader = false);

/// Makes a graph of its text. The network's output is the last node. Throws Error that names the
/// node, with its origin where the file has one, and what would be accepted: where the text is no
/// JSON or of another format, an operation or attribute is unknown or missing, or shapes do not
/// fit.
NamedGraph graph_from_json(const std::string& json);

}  // namespace topograd
