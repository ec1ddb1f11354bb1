// landscape coherence: how well minibatch gradients agree, at networks or over a surface.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/coherence/coherence_flags.h"

namespace topograd {

class CoherenceCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  CoherenceFlags flags_;
};

}  // namespace topograd
