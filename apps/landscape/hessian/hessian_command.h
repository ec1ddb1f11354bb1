// landscape hessian: eigenvalues, trace and spectral density of a loss's curvature at a network, or
// over the points of a surface.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/hessian/hessian_flags.h"

namespace topograd {

class HessianCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options& options) override { flags_.check(options); }
  int run(const std::string& typed) override;

 private:
  HessianFlags flags_;
};

}  // namespace topograd
