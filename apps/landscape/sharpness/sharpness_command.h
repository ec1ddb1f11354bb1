// landscape sharpness: a panel of measures of how sharp the minima of networks are.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/sharpness/sharpness_flags.h"

namespace topograd {

class SharpnessCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  SharpnessFlags flags_;
};

}  // namespace topograd
