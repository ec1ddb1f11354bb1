// CIFAR ResNets: K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section
// 4.2; without shortcuts as in Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018.
#pragma once

#include "nn/graph.h"

namespace topograd {

/// How a block's input reaches its output where the shape changes, or that it never does.
enum class Shortcut {
  pad,         ///< option A: subsample, pad with zero channels; no parameters
  projection,  ///< option B: 1x1 convolution and BatchNorm
  none,        ///< no shortcut at all, not even the identity
};

struct ResnetSpec {
  int depth = 20;  ///< 6n + 2
  int64_t width = 16;
  Shortcut shortcut = Shortcut::projection;
  Activation activation = Activation::relu;
  int64_t classes = 10;
  Shape image = {32, 32, 3};
};

/// Two 3x3 convolutions, each with BatchNorm, and a shortcut around them.
Value basic_block(Graph& g, Value x, int64_t filters, int stride, Shortcut shortcut,
                  Activation activation);

Graph cifar_resnet(const ResnetSpec& spec);

}  // namespace topograd
