// The original wide residual networks: S. Zagoruyko and N. Komodakis, "Wide Residual Networks",
// BMVC 2016. Those of the landscape paper are plain CIFAR ResNets with more channels: see resnet.h.
#pragma once

#include "models/resnet.h"

namespace topograd {

/// Builds three stages of (depth - 4) / 6 blocks each, depth = 6n + 4; BatchNorm and activation
/// come before each convolution. The stem has options.width channels, the stages options.width *
/// widening times 1, 2 and 4. A shortcut that changes shape is a 1x1 convolution without BatchNorm.
/// No dropout.
Graph wide_resnet(int depth, int64_t widening, const ResnetOptions& options);

}  // namespace topograd
