// landscape doctor: what would make pictures of a network's loss misleading.
#pragma once

#include <optional>
#include <string>

#include "apps/common/command.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "landscape/diagnosis/diagnosis.h"

namespace topograd {

class DoctorCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  /// Prints a line for each finding; returns 1 if one is a warning.
  int run(const std::string& typed) override;

 private:
  std::string model_;
  bool of_result_ = false;  ///< model_ is a result's file
  ImageSelection images_{.count = 1000};
  LossFlag loss_;
  DiagnosisSettings settings_;
  cli::RunFlags run_;
};

}  // namespace topograd
