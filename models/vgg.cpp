#include "models/vgg.h"

namespace topograd {

namespace {

constexpr int kPool = 0;

/// Channels of the convolutions in units of the first one's, and where the pools are.
std::vector<int> plan_of(int depth) {
  switch (depth) {
    case 9:
      return {1, 1, kPool, 2, 2, kPool, 4, 4, 4, kPool};
    case 11:
      return {1, kPool, 2, kPool, 4, 4, kPool, 8, 8, kPool, 8, 8, kPool};
    case 13:
      return {1, 1, kPool, 2, 2, kPool, 4, 4, kPool, 8, 8, kPool, 8, 8, kPool};
    case 16:
      return {1, 1, kPool, 2, 2, kPool, 4, 4, 4, kPool, 8, 8, 8, kPool, 8, 8, 8, kPool};
    case 19:
      return {1, 1, kPool, 2, 2, kPool, 4, 4, 4, 4, kPool, 8, 8, 8, 8, kPool, 8, 8, 8, 8, kPool};
    default:
      fail("VGG has 9, 11, 13, 16 or 19 layers, not ", depth);
  }
}

}  // namespace

Graph vgg(int depth, const VggOptions& options) {
  Graph g(options.image);
  Value x = g.input();
  int64_t channels = 0;
  int number = 0;  // the parameters' names count pools and activations too, as PyTorch does
  {
    const auto scope = g.scope("features");
    for (int multiple : plan_of(depth)) {
      if (multiple == kPool) {
        const Shape& in = g.shape_of(x);
        require(in[0] >= 2 && in[1] >= 2, "vgg", depth, " halves the images more often than ",
                options.image, " allows");
        x = g.max_pool(x, {.kernel = 2, .stride = 2});
        number += 1;
        continue;
      }
      channels = options.width * multiple;
      x = g.conv(x, channels, {.bias = true, .name = text(number)});
      x = g.activation(g.batchnorm(x, text(number + 1)), options.activation);
      number += 3;
    }
  }
  x = g.batchnorm(g.linear(x, channels, "fc.0"), "fc.1");
  g.set_output(g.linear(g.activation(x, options.activation), options.classes, "classifier"));
  return g;
}

}  // namespace topograd
