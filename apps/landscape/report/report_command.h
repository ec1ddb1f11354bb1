// landscape report: one self-contained HTML file that shows results offline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/command.h"

namespace topograd {

class ReportCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  std::vector<std::string> files_;
  std::string output_ = "report.html";
  std::optional<std::string> title_, plane_;
};

}  // namespace topograd
