// landscape compare: surfaces on the same points, or networks by their measures, side by side.
#pragma once

#include <string>
#include <vector>

#include "apps/common/command.h"
#include "apps/landscape/compare/compare_networks.h"

namespace topograd {

class CompareCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  /// Looks into the files: whether they are surfaces or networks decides which options have an
  /// effect. Throws Error for an option without one.
  void check(const cli::Options& options) override;
  /// Prints how each further surface differs from the first, or the networks' table.
  int run(const std::string& typed) override;

 private:
  std::vector<std::string> files_;
  NetworkComparison networks_;
  std::vector<std::vector<std::string>> comparisons_;  ///< files of one each, the first first
  bool networks_there_ = false;                        ///< whether one of them is of networks
};

}  // namespace topograd
