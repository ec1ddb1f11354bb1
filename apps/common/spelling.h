// The word that a mistyped one may have meant.
#pragma once

#include <string>
#include <vector>

namespace topograd::cli {

/// Returns the candidate with the fewest insertions, deletions, replacements and exchanges of
/// neighbours away from `word`; empty where all are more than a third of the word away.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace topograd::cli
