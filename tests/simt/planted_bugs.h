// Kernels that are wrong, one mistake each, and what each kind of build should say about them.
#pragma once

#include <vector>

#include "kernels/core/context.h"

namespace topograd::simt::test {

struct PlantedBug {
  const char* name;
  /// Runs the kernel on 1024 floats.
  void (*run)(float* out, const float* in, Context& context);
  /// What a correct kernel would leave in out[0], out[1], ...
  std::vector<float> (*expected)(const std::vector<float>& in);
  /// What is seen: part of an error's message, kWrong, or kUnseen.
  const char* plain;
  const char* sanitized;  // by AddressSanitizer or UndefinedBehaviorSanitizer; null: as plain
  const char* checked;    // by the memory checker
};

inline constexpr const char* kWrong = "wrong result";
inline constexpr const char* kUnseen = "unseen";

const std::vector<PlantedBug>& planted_bugs();

}  // namespace topograd::simt::test
