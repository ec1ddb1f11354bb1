// Words in messages: the one that a mistyped word may have meant, and lists.
#pragma once

#include <string>
#include <vector>

namespace topograd::cli {

/// Returns the candidate with the fewest insertions, deletions, replacements and exchanges of
/// neighbours away from `word`; empty where all are more than a third of the word away.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

/// Returns "a, b or c".
std::string enumerated(const std::vector<std::string>& words);

}  // namespace topograd::cli
