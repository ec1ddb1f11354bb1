// Kernels that are wrong, one mistake each, and what each kind of build should say about them.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/core/context.h"

namespace topograd::simt::test {

struct PlantedBug {
  const char* name;
  /// Runs the kernel on 1024 floats.
  void (*run)(float* out, const float* in, Context& context);
  /// What a correct kernel would leave in out[0], out[1], ...
  std::vector<float> (*expected)(const std::vector<float>& in);
  /// What is seen: part of an error's message, kWrong, kUnseen; empty where nothing is certain.
  std::string_view plain;
  std::string_view sanitized;  ///< by AddressSanitizer or UndefinedBehaviorSanitizer
  std::string_view checked;    ///< by the memory checker
};

inline constexpr std::string_view kWrong = "wrong result";
inline constexpr std::string_view kUnseen = "unseen";

const std::vector<PlantedBug>& planted_bugs();

}  // namespace topograd::simt::test
