// landscape animate: films of computed surfaces.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/animate/animate_flags.h"

namespace topograd {

class AnimateCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  AnimateFlags flags_;
};

}  // namespace topograd
