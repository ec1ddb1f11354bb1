// VGG for CIFAR: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale
// Image Recognition", ICLR 2015, with BatchNorm and one hidden fully connected layer, as in the
// landscape paper's code.
#pragma once

#include "nn/graph.h"

namespace topograd {

struct VggOptions {
  int64_t width = 64;  ///< channels of the first convolutions
  Activation activation = Activation::relu;
  int64_t classes = 10;
  Shape image = {32, 32, 3};
};

/// Builds a VGG of depth 9, 11, 13, 16 or 19: 3x3 convolutions with bias, BatchNorm and activation,
/// between 2x2 max pools; a fully connected layer with BatchNorm, and the classifier. vgg9 has
/// three pools, the others five, so images need at least 8 or 32 pixels.
Graph vgg(int depth, const VggOptions& options);

}  // namespace topograd
