// The options of landscape watch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/landscape/common/figure_flags.h"
#include "landscape/figures/terminal/terminal_picture.h"

namespace topograd {

struct WatchFlags {
  std::vector<std::string> files;  ///< exactly one file
  std::optional<int> port;         ///< port of the page, 0 for any free one; empty: no page
  bool stay = false, once = false;
  ValueFlags values;
  std::string colour = "auto";  ///< auto, always or never, in the terminal

  const std::string& file() const { return files.front(); }

  void add_to(cli::Options& options);
  /// Throws Error unless there is one file, or where options contradict one another.
  void check() const;
};

}  // namespace topograd
