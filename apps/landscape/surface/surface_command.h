// landscape surface and landscape line: losses on a plane through a network, or along a line.
#pragma once

#include <string>
#include <vector>

#include "apps/landscape/common/distributed_command.h"
#include "apps/landscape/surface/direction_flags.h"
#include "apps/landscape/surface/surface_flags.h"
#include "landscape/trajectory/checkpoints.h"

namespace topograd {

class SurfaceCommand : public DistributedCommand {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  int run_distributed(const std::string& typed, ProcessGroup& group) override;

 private:
  /// Computes a surface around every checkpoint of a training's folder, all with the directions of
  /// the last one.
  int run_around_checkpoints(const std::string& typed, ProcessGroup& group);

  SurfaceFlags flags_;
  DirectionFlags directions_;
  bool film_ = false;  ///< a surface around each checkpoint of a training
  CheckpointSelection checkpoints_;
  std::vector<std::string> more_words_;
};

class LineCommand : public DistributedCommand {
 public:
  void add_options(cli::Options& options) override;
  void check(const cli::Options& options) override;
  int run_distributed(const std::string& typed, ProcessGroup& group) override;

 private:
  SurfaceFlags flags_;
  DirectionFlags directions_;
  std::vector<std::string> more_words_;
};

}  // namespace topograd
