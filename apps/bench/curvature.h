// bench curvature: products with the Hessian.
#pragma once

#include "apps/bench/report.h"
#include "apps/common/command.h"
#include "landscape/curvature/curvature_operator.h"

namespace topograd {

class CurvatureBench : public cli::Command {
 public:
  void add_options(cli::Options& options) override;
  int run(const std::string& typed) override;

 private:
  BenchFlags flags_{5};
  int64_t batch_ = 128;
  BatchnormMode mode_ = BatchnormMode::frozen;
};

}  // namespace topograd
