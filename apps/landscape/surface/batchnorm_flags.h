// What BatchNorm normalises by on a surface.
#pragma once

#include <string>

#include "apps/common/cli.h"
#include "landscape/evaluation/evaluation.h"

namespace topograd {

struct SurfaceBatchnorm {
  DirectionType directions = DirectionType::weights;  ///< whether they move the statistics
  PointBatchnorm at_point = PointBatchnorm::given;
  int64_t batch = 128;
  std::string description;  ///< "frozen"
};

/// What --bn, --bn-batch and --dir-type ask for; where nothing does, the statistics move on the way
/// to another model and nowhere else.
SurfaceBatchnorm surface_batchnorm(const cxxopts::ParseResult& flags, bool leads_to_model);

}  // namespace topograd
