// Results in folders: what commands find where a folder is named, and how far each is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

/// Returns whether a file holds a result of any kind.
bool is_result(const std::string& path);

/// Returns the files with results that lie in a folder, by their names; whatever else lies there is
/// left out.
std::vector<std::string> results_in(const std::string& folder);

/// Files with results, and what was named that holds none.
struct NamedResults {
  std::vector<std::string> files;
  std::vector<std::string> left_out;  ///< files of directions, which a pattern like *.h5 names, too
};
/// Returns the words, each folder replaced by the results in it. Throws Error for a folder without
/// any, and where nothing but directions was named.
NamedResults named_results(const std::vector<std::string>& words);

/// How much of a result is there.
struct Completeness {
  int64_t done = 0, all = 0;  ///< values, by the result's own masks; 0 of 0 where it has none
  bool complete() const { return done == all; }
};
Completeness completeness(const Record& record);

}  // namespace topograd
