// Words in messages: the nearest word to a mistyped one, and lists.
#pragma once

#include <string>
#include <vector>

namespace topograd::cli {

/// Returns the candidate with the smallest edit distance (insertions, deletions, replacements and
/// exchanges of neighbours) from `word`; empty if all are more than a third of the word away.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

/// Returns "a, b or c".
std::string enumerated(const std::vector<std::string>& words);

}  // namespace topograd::cli
