#include "models/simple_nets.h"

namespace topograd {

Graph mlp(int layers, int64_t width, const FirstLessonOptions& options) {
  require(layers >= 1 && layers <= 1000, "an MLP of ", layers, " layers: choose 1 to 1000");
  Graph g(options.image);
  Value x = g.input();
  for (int i = 1; i < layers; ++i)
    x = g.activation(g.linear(x, width, text("fc", i)), options.activation);
  g.set_output(g.linear(x, options.classes, text("fc", layers)));
  return g;
}

Graph lenet(const FirstLessonOptions& options) {
  require(options.image[0] >= 16 && options.image[1] >= 16, "LeNet needs images of 16 x 16 pixels ",
          "or more, not ", options.image);
  Graph g(options.image);
  Value x = g.conv(g.input(), 6, {.kernel = 5, .padding = 0, .bias = true});
  x = g.max_pool(g.activation(x, options.activation), {.kernel = 2, .stride = 2});
  x = g.conv(x, 16, {.kernel = 5, .padding = 0, .bias = true});
  x = g.max_pool(g.activation(x, options.activation), {.kernel = 2, .stride = 2});
  x = g.activation(g.linear(x, 120, "fc1"), options.activation);
  x = g.activation(g.linear(x, 84, "fc2"), options.activation);
  g.set_output(g.linear(x, options.classes, "fc3"));
  return g;
}

}  // namespace topograd
