// ResNets for CIFAR: K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016;
// without shortcuts and widened as in Li et al., "Visualizing the Loss Landscape of Neural Nets",
// 2018.
#pragma once

#include "nn/graph.h"

namespace topograd {

/// Way of a block's input to its output where the shape changes.
enum class Shortcut {
  pad,         ///< option A: subsample, pad with zero channels; no parameters
  projection,  ///< option B: 1x1 convolution and BatchNorm
  none,        ///< no shortcut at all, not even the identity
};

struct ResnetOptions {
  int64_t width = 16;  ///< channels of the first stage; every later stage has twice as many
  Shortcut shortcut = Shortcut::projection;
  Activation activation = Activation::relu;
  int64_t classes = 10;
  Shape image = {32, 32, 3};
};

/// Builds the networks of section 4.2: three stages of (depth - 2) / 6 basic blocks each, depth =
/// 6n + 2.
Graph cifar_resnet(int depth, const ResnetOptions& options);

/// Builds the networks of section 4.1 with a 3x3 stem for small images: four stages, of basic
/// blocks for depth 18 and 34, of bottlenecks for 50, 101 and 152. The paper's width is 64.
Graph four_stage_resnet(int depth, const ResnetOptions& options);
bool is_four_stage_depth(int depth);

/// Appends two 3x3 convolutions, each with BatchNorm, and a shortcut around them.
Value basic_block(Graph& g, Value x, int64_t filters, int stride, const ResnetOptions& options);

/// Appends 1x1, 3x3 and 1x1 convolutions, the last with four times the filters, and a shortcut.
Value bottleneck_block(Graph& g, Value x, int64_t filters, int stride,
                       const ResnetOptions& options);

}  // namespace topograd
