// What the memory checker found, in words.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/simt/race_shadow.h"
#include "kernels/simt/vector_types.h"

namespace topograd::simt::emulator {

/// Who touched a piece of memory, and at which line.
struct Party {
  std::string who;  // "thread 7", "several threads"
  CodeOffset at;
};

/// The code that a return address belongs to.
CodeOffset code_offset(const void* return_address);

/// Collects findings; each pair of lines is reported once.
class Report {
 public:
  /// "race: thread 1 at a.cu:7 reads ...". `does` ends in the other party's part of the sentence:
  /// its name and line follow, if there is one, then the memory.
  void add(const std::string& kind, const Party& culprit, const std::string& does,
           const Party* other, const std::string& memory);
  /// All findings on one line, and an empty report again.
  std::string take();

 private:
  struct Finding {
    std::string kind, does, memory;
    uint3 block;
    Party culprit, other;
  };
  static std::string in_words(const Finding& finding);

  std::set<std::pair<CodeOffset, CodeOffset>> seen_;
  std::vector<Finding> findings_;
};

}  // namespace topograd::simt::emulator
