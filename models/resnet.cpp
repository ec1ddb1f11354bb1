#include "models/resnet.h"

#include <array>

namespace topograd {

namespace {

/// Adds the block's input x to y as the options say, and appends the last activation.
Value join(Graph& g, Value x, Value y, int stride, const ResnetOptions& options) {
  if (options.shortcut == Shortcut::none) return g.activation(y, options.activation);
  const int64_t filters = g.shape_of(y)[2];
  const bool same_shape = g.shape_of(x) == g.shape_of(y);
  if (!same_shape && options.shortcut == Shortcut::pad) x = g.shortcut_a(x, filters, stride);
  if (!same_shape && options.shortcut == Shortcut::projection) {
    const auto scope = g.scope("shortcut");
    x = g.conv(x, filters, {.kernel = 1, .stride = stride, .name = "0"});
    x = g.batchnorm(x, "1");
  }
  return g.activation(g.add(y, x), options.activation);
}

using Block = Value (*)(Graph&, Value, int64_t, int, const ResnetOptions&);

template <size_t Stages>
Graph resnet(const std::array<int, Stages>& blocks, Block block, const ResnetOptions& options) {
  Graph g(options.image);
  Value x = g.activation(g.batchnorm(g.conv(g.input(), options.width)), options.activation);
  for (size_t stage = 0; stage < Stages; ++stage)
    for (int i = 0; i < blocks[stage]; ++i) {
      const auto scope = g.scope(text("layer", stage + 1, ".", i));
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      x = block(g, x, options.width << stage, stride, options);
    }
  g.set_output(g.linear(g.global_average_pool(x), options.classes));
  return g;
}

struct FourStages {
  int depth;
  std::array<int, 4> blocks;
  Block block;
};
constexpr std::array<FourStages, 5> kFourStages = {{{18, {2, 2, 2, 2}, basic_block},
                                                    {34, {3, 4, 6, 3}, basic_block},
                                                    {50, {3, 4, 6, 3}, bottleneck_block},
                                                    {101, {3, 4, 23, 3}, bottleneck_block},
                                                    {152, {3, 8, 36, 3}, bottleneck_block}}};

}  // namespace

Value basic_block(Graph& g, Value x, int64_t filters, int stride, const ResnetOptions& options) {
  Value y = g.batchnorm(g.conv(x, filters, {.stride = stride}));
  y = g.batchnorm(g.conv(g.activation(y, options.activation), filters));
  return join(g, x, y, stride, options);
}

Value bottleneck_block(Graph& g, Value x, int64_t filters, int stride,
                       const ResnetOptions& options) {
  Value y = g.batchnorm(g.conv(x, filters, {.kernel = 1}));
  y = g.batchnorm(g.conv(g.activation(y, options.activation), filters, {.stride = stride}));
  y = g.batchnorm(g.conv(g.activation(y, options.activation), 4 * filters, {.kernel = 1}));
  return join(g, x, y, stride, options);
}

Graph cifar_resnet(int depth, const ResnetOptions& options) {
  require(depth >= 8 && (depth - 2) % 6 == 0, "a CIFAR ResNet has 6n + 2 layers (8, 14, ",
          "20, 32, 44, 56, 110, ...), not ", depth);
  const int blocks = (depth - 2) / 6;
  return resnet<3>({blocks, blocks, blocks}, basic_block, options);
}

bool is_four_stage_depth(int depth) {
  for (const FourStages& net : kFourStages)
    if (net.depth == depth) return true;
  return false;
}

Graph four_stage_resnet(int depth, const ResnetOptions& options) {
  for (const FourStages& net : kFourStages)
    if (net.depth == depth) return resnet(net.blocks, net.block, options);
  fail("a ResNet of four stages has 18, 34, 50, 101 or 152 layers, not ", depth);
}

}  // namespace topograd
