#include "models/wide_resnet.h"

namespace topograd {

namespace {

Value preactivation_block(Graph& g, Value x, int64_t filters, int stride,
                          const ResnetOptions& options) {
  const Value before = g.activation(g.batchnorm(x), options.activation);
  Value y = g.conv(before, filters, {.stride = stride});
  y = g.conv(g.activation(g.batchnorm(y), options.activation), filters);
  if (options.shortcut == Shortcut::none) return y;
  if (g.shape_of(x) == g.shape_of(y)) return g.add(y, x);
  if (options.shortcut == Shortcut::pad) return g.add(y, g.shortcut_a(before, filters, stride));
  return g.add(y, g.conv(before, filters, {.kernel = 1, .stride = stride, .name = "convShortcut"}));
}

}  // namespace

Graph wide_resnet(int depth, int64_t widening, const ResnetOptions& options) {
  require(depth >= 10 && (depth - 4) % 6 == 0,
          "an original wide ResNet has 6n + 4 layers (10, 16, ", "22, 28, 40, ...), not ", depth);
  Graph g(options.image);
  Value x = g.conv(g.input(), options.width);
  for (int stage = 0; stage < 3; ++stage)
    for (int i = 0; i < (depth - 4) / 6; ++i) {
      const auto scope = g.scope(text("block", stage + 1, ".layer.", i));
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      x = preactivation_block(g, x, (options.width * widening) << stage, stride, options);
    }
  x = g.activation(g.batchnorm(x), options.activation);
  g.set_output(g.linear(g.global_average_pool(x), options.classes));
  return g;
}

}  // namespace topograd
