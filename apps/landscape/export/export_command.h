// landscape export: results in other tools' formats.
#pragma once

#include <string>
#include <vector>

#include "apps/common/command.h"
#include "apps/landscape/export/export_flags.h"

namespace topograd {

class ExportCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  /// Reads the files: their kinds decide which options have an effect. Throws Error for an option
  /// without one.
  void check(const cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  ExportFlags flags_;
  std::vector<ExportSource> sources_;
  std::vector<ExportTarget> targets_;  // which point to sources
};

}  // namespace topograd
