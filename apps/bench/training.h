// bench training: steps of SGD against PyTorch's.
#pragma once

#include "apps/bench/report.h"
#include "apps/common/command.h"

namespace topograd {

class TrainingBench : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  BenchFlags flags_{7};
  int64_t batch_ = 128;
  std::optional<std::string> peak_of_;  // network whose training's memory is printed, alone
};

}  // namespace topograd
