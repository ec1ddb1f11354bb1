// Options of the reference implementation that have no effect here.
#pragma once

#include <string>
#include <vector>

#include "apps/common/options.h"

namespace topograd {

struct CompatibilityFlags {
  bool ignored = false;

  /// Declares the options in a group of their own.
  void add_to(cli::Options& options);
  /// Returns a line for each option that was given, saying why it has no effect.
  static std::vector<std::string> notes(const cli::Options& options);
};

}  // namespace topograd
