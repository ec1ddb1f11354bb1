// The networks that are measured, by layer and as a whole.
#pragma once

#include "models/registry.h"

namespace topograd::bench {

/// VGG-9 as the landscape paper uses it: seven 3x3 convolutions and two linear layers.
inline Graph vgg9() {
  Graph g({32, 32, 3});
  Value x = g.input();
  for (const auto& [filters, count] : {std::pair{64, 2}, {128, 2}, {256, 3}}) {
    for (int i = 0; i < count; ++i) x = g.relu(g.batchnorm(g.conv(x, filters)));
    x = g.max_pool(x, {.kernel = 2, .stride = 2});
  }
  g.set_output(g.linear(g.relu(g.linear(x, 256, "linear1")), 10, "linear2"));
  return g;
}

/// "vgg9", or any name of the registry.
inline Graph network(const std::string& name) {
  return name == "vgg9" ? vgg9() : build_model({.name = name});
}

}  // namespace topograd::bench
