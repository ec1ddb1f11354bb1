// bench surfaces: points of a loss surface, against PyTorch's inference and its loop over points.
#pragma once

#include "apps/bench/report.h"
#include "apps/common/command.h"

namespace topograd {

class SurfacesBench : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  BenchFlags flags_{5};
  std::vector<std::string> precisions_ = {"f32", "bf16x3", "bf16"};
  int64_t images_ = 1000;
  int points_ = 4;
  bool scaling_ = false;
  std::string torch_batches_ = "64,128,256";
};

}  // namespace topograd
