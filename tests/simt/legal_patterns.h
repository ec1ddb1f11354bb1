// Kernels that are right, in the ways that a checker is most likely to misjudge.
#pragma once

#include <vector>

#include "kernels/core/context.h"

namespace topograd::simt::test {

struct LegalPattern {
  const char* name;
  /// Runs the kernel on 1024 floats.
  void (*run)(float* out, const float* in, Context& context);
  /// What it leaves in out[0], out[1], ...
  std::vector<float> (*expected)(const std::vector<float>& in);
};

const std::vector<LegalPattern>& legal_patterns();

}  // namespace topograd::simt::test
