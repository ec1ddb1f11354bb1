// --dir-type, --bn and --bn-batch: what BatchNorm normalises by on a surface.
#pragma once

#include <optional>

#include "apps/common/options.h"
#include "landscape/directions/direction.h"
#include "landscape/surface/surface_settings.h"

namespace topograd {

struct BatchnormFlags {
  enum class Mode { frozen, states, recompute, batch };

  std::optional<DirectionType> type;
  std::optional<Mode> mode;
  std::optional<int64_t> batch;

  /// Declares the three options in the group "Directions".
  void add_to(cli::Options& options);
  /// Throws Error where options contradict one another.
  void check() const;

  SurfaceBatchnorm batchnorm() const;
  /// Returns whether directions move the running statistics. Default: they do if a direction leads
  /// to another network, so that alpha = 1 is that network.
  DirectionType directions(bool leads_to_network) const;
};

}  // namespace topograd
