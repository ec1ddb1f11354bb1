// landscape watch: a surface while it is computed, in a terminal and in a browser.
#pragma once

#include "apps/common/command.h"
#include "apps/landscape/watch/watch_flags.h"

namespace topograd {

class WatchCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options&) override { flags_.check(); }
  int run(const std::string& typed) override;

 private:
  WatchFlags flags_;
};

}  // namespace topograd
