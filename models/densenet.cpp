#include "models/densenet.h"

namespace topograd {

namespace {

/// Appends BatchNorm, activation, 1x1 convolution to 4 k channels; BatchNorm, activation, 3x3
/// convolution to k. These channels come first in the concatenation, as in the landscape paper's
/// code.
Value dense_layer(Graph& g, Value x, const DensenetOptions& options) {
  Value y = g.activation(g.batchnorm(x), options.activation);
  y = g.conv(y, 4 * options.growth, {.kernel = 1});
  y = g.activation(g.batchnorm(y), options.activation);
  return g.concat(g.conv(y, options.growth), x);
}

/// Appends a transition to half the channels and half the extent.
Value transition(Graph& g, Value x, const DensenetOptions& options) {
  Value y = g.activation(g.batchnorm(x, "bn"), options.activation);
  y = g.conv(y, g.shape_of(x)[2] / 2, {.kernel = 1, .name = "conv"});
  return g.average_pool(y, {.kernel = 2, .stride = 2});
}

Graph dense_network(const std::vector<int>& blocks, const DensenetOptions& options) {
  const int64_t halvings = static_cast<int64_t>(blocks.size()) - 1;
  require(options.image[0] >> halvings >= 1 && options.image[1] >> halvings >= 1, "a DenseNet of ",
          blocks.size(), " blocks halves the images more often than ", options.image, " allows");
  Graph g(options.image);
  Value x = g.conv(g.input(), 2 * options.growth);
  for (size_t block = 0; block < blocks.size(); ++block) {
    for (int layer = 0; layer < blocks[block]; ++layer) {
      const auto scope = g.scope(text("dense", block + 1, ".", layer));
      x = dense_layer(g, x, options);
    }
    if (block + 1 == blocks.size()) break;
    const auto scope = g.scope(text("trans", block + 1));
    x = transition(g, x, options);
  }
  x = g.activation(g.batchnorm(x, "bn"), options.activation);
  g.set_output(g.linear(g.global_average_pool(x), options.classes));
  return g;
}

}  // namespace

Graph densenet(int depth, const DensenetOptions& options) {
  switch (depth) {
    case 121:
      return dense_network({6, 12, 24, 16}, options);
    case 161:
      return dense_network({6, 12, 36, 24}, options);
    case 169:
      return dense_network({6, 12, 32, 32}, options);
    case 201:
      return dense_network({6, 12, 48, 32}, options);
    default:
      fail("a DenseNet of four blocks has 121, 161, 169 or 201 layers, not ", depth);
  }
}

int64_t densenet_growth(int depth) {
  return depth == 161 ? 48 : 32;
}

Graph densenet_bc(int depth, const DensenetOptions& options) {
  require(depth >= 10 && (depth - 4) % 6 == 0,
          "a DenseNet-BC has 6n + 4 layers (40, 100, 190, ...), ", "not ", depth);
  const int layers = (depth - 4) / 6;
  return dense_network({layers, layers, layers}, options);
}

}  // namespace topograd
