// landscape connect: the loss on paths between two networks.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/connect/connect_flags.h"

namespace topograd {

class ConnectCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  ConnectFlags flags_;
};

}  // namespace topograd
