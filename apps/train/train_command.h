// train: trains a network, or evaluates one.
#pragma once

#include "apps/common/command.h"
#include "apps/train/train_flags.h"

namespace topograd {

class TrainCommand : public cli::Command {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options& options) override { flags_.check(options); }
  int run(const std::string& typed) override;

 private:
  int train(ThreadPool& pool);
  void begin_from(const std::string& path);
  int evaluate_model(ThreadPool& pool) const;

  TrainFlags flags_;
};

}  // namespace topograd
