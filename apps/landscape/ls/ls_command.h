// landscape ls: networks and results of folders, and what is unfinished there.
#pragma once

#include <string>
#include <vector>

#include "apps/common/command.h"

namespace topograd {

class LsCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  std::vector<std::string> words_;
};

}  // namespace topograd
