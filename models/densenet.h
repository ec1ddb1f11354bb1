// DenseNet for CIFAR: G. Huang et al., "Densely Connected Convolutional Networks", CVPR 2017.
#pragma once

#include "nn/graph.h"

namespace topograd {

struct DensenetOptions {
  int64_t growth = 32;  ///< channels that a layer adds; the stem has twice as many
  Activation activation = Activation::relu;
  int64_t classes = 10;
  Shape image = {32, 32, 3};
};

/// Builds a DenseNet of depth 121, 161, 169 or 201: the blocks of the paper's networks for
/// ImageNet, with a 3x3 stem. The paper's growth is 32, and 48 for depth 161.
Graph densenet(int depth, const DensenetOptions& options);
int64_t densenet_growth(int depth);

/// Builds a DenseNet-BC of section 4.2: three blocks of (depth - 4) / 6 layers each, depth = 6n +
/// 4.
Graph densenet_bc(int depth, const DensenetOptions& options);

}  // namespace topograd
