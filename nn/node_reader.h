// One node of a graph's file, read attribute by attribute.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "kernels/core/per_axis.h"
#include "nn/graph.h"

namespace topograd {

using GraphText = nlohmann::ordered_json;

constexpr size_t kMostNodes = 20'000;
/// Extents and counts beyond this are mistakes; products of two still fit in 64 bits.
constexpr int64_t kLargestInteger = 1 << 24;

/// Throws Error unless a value of the file is of the kind that a reader expects.
void require_kind(bool is, const std::string& key, const char* expected, const GraphText& value);

/// The attributes of a node, which is an object. Members throw Error where one is missing, of
/// another kind or out of range; where they take `otherwise`, that stands for one that is left out.
class NodeReader {
 public:
  /// `known`: the nodes before this one, by their names. Both outlive the reader.
  NodeReader(const GraphText& node, const std::map<std::string, Value>& known);

  std::string text_of(const std::string& key);
  std::string text_of(const std::string& key, const std::string& otherwise);
  int64_t integer(const std::string& key);
  int64_t integer(const std::string& key, int64_t otherwise);
  int small(const std::string& key, int otherwise);
  /// Returns a number for both axes, or a list of one for each.
  PerAxis per_axis(const std::string& key);
  PerAxis per_axis(const std::string& key, PerAxis otherwise);
  double number(const std::string& key, double otherwise);
  bool flag(const std::string& key, bool otherwise);
  std::vector<int64_t> integers(const std::string& key);
  /// Returns the nodes that this one reads, of which there have to be so many.
  std::vector<Value> inputs(size_t least, size_t most);
  bool has(const std::string& key);
  /// Throws Error for attributes that nobody asked for.
  void require_all_read() const;

 private:
  const GraphText& required(const std::string& key);
  std::string attributes() const;

  const GraphText& node_;
  const std::map<std::string, Value>& known_;
  std::set<std::string> read_;
};

}  // namespace topograd
