// The options of landscape watch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/landscape/common/figure_flags.h"
#include "landscape/figures/terminal_picture.h"

namespace topograd {

struct WatchFlags {
  std::vector<std::string> files;  ///< one
  std::optional<int> port;         ///< of the page, 0 for any free one; empty: no page
  bool stay = false, once = false;
  ValueFlags values;
  std::string colour = "auto";  ///< in the terminal

  const std::string& file() const { return files.front(); }

  void add_to(cli::Options& options);
  /// Throws Error where there is not one file, or options contradict one another.
  void check() const;
};

}  // namespace topograd
