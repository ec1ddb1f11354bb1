#include "models/resnet.h"

namespace topograd {

Value basic_block(Graph& g, Value x, int64_t filters, int stride, Shortcut shortcut,
                  Activation activation) {
  Value y = g.activation(g.batchnorm(g.conv(x, filters, {.stride = stride})), activation);
  y = g.batchnorm(g.conv(y, filters));
  if (shortcut == Shortcut::none) return g.activation(y, activation);

  const Shape in = g.shape_of(x);
  const bool same_shape = in == g.shape_of(y);
  if (!same_shape && shortcut == Shortcut::pad) x = g.shortcut_a(x, filters, stride);
  if (!same_shape && shortcut == Shortcut::projection) {
    const auto scope = g.scope("shortcut");
    x = g.conv(x, filters, {.kernel = 1, .stride = stride, .name = "0"});
    x = g.batchnorm(x, "1");
  }
  return g.activation(g.add(y, x), activation);
}

Graph cifar_resnet(const ResnetSpec& spec) {
  require(spec.depth >= 8 && (spec.depth - 2) % 6 == 0, "a CIFAR ResNet has 6n + 2 layers (8, 14, ",
          "20, 32, 44, 56, 110, ...), not ", spec.depth);
  const int blocks = (spec.depth - 2) / 6;
  Graph g(spec.image);
  Value x = g.activation(g.batchnorm(g.conv(g.input(), spec.width)), spec.activation);
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < blocks; ++block) {
      const auto scope = g.scope(text("layer", stage + 1, ".", block));
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      x = basic_block(g, x, spec.width << stage, stride, spec.shortcut, spec.activation);
    }
  g.set_output(g.linear(g.global_average_pool(x), spec.classes));
  return g;
}

}  // namespace topograd
