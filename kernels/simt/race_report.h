// Findings of the memory checker, in words.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/simt/race_shadow.h"
#include "kernels/simt/vector_types.h"

namespace topograd::simt::emulator {

/// Thread that touched a piece of memory, and the line.
struct Party {
  static constexpr int kNobody = -1;
  static constexpr int kSeveralThreads = -2;
  int thread = kNobody;
  bool other_block = false;
  CodeOffset at = 0;
};

enum class Space { global, dynamic_shared, static_shared, elsewhere };

/// Address and the memory it lies in; for unwatched memory `near`, which ends shortly before it.
struct Spot {
  Space space;
  uintptr_t address;
  uintptr_t base = 0;  // begin of the allocation or of the dynamic shared memory
  size_t bytes = 0;
  Space near = Space::elsewhere;
};

/// Returns the offset of the code that a return address belongs to.
CodeOffset code_offset(const void* return_address);

/// Collects findings; each pair of lines is reported once.
class Report {
 public:
  /// Adds "race: thread 1 at a.cu:7 reads what is written by thread 0 at a.cu:6 (global memory,
  /// ...)": kind, culprit, what it does, the other party where there is one, the spot.
  void add(const char* kind, const Party& culprit, const char* does, const Party& other,
           const Spot& spot);
  /// Returns all findings on one line and empties the report.
  std::string take();

 private:
  struct Finding {
    const char* kind;
    const char* does;
    Party culprit, other;
    Spot spot;
    uint3 block;
  };
  static std::string describe(const Finding& finding);

  std::set<std::pair<CodeOffset, CodeOffset>> seen_;
  std::vector<Finding> findings_;
};

}  // namespace topograd::simt::emulator
