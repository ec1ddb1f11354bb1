// Graphs that try what a plan of inference does with memory and with neighbouring layers.
#pragma once

#include <functional>

#include "kernels/core/philox.h"
#include "nn/graph.h"
#include "tests/nn/nn_check.h"

namespace topograd::test {

inline Tensor with_batch(int64_t n, const Shape& shape) {
  Shape batch{n};
  for (int64_t extent : shape) batch.push_back(extent);
  return Tensor(batch, DType::f64);
}

/// Dense: every value lives until the end of its block.
inline Graph dense_graph() {
  Graph g({8, 8, 3});
  Value x = g.conv(g.input(), 4);
  for (int i = 0; i < 4; ++i) {
    Value y = g.conv(g.relu(g.batchnorm(x)), 6, {.kernel = 1});
    y = g.conv(g.relu(g.batchnorm(y)), 3);
    x = g.concat(y, x);
  }
  x = g.average_pool(g.conv(g.relu(g.batchnorm(x)), 5, {.kernel = 1}), {2, 2, 0});
  g.set_output(g.linear(g.global_average_pool(g.relu(g.batchnorm(x))), 4));
  return g;
}

/// Concatenations within concatenations, and such as must lie alone; images of 36 pixels.
inline Graph nested_graph() {
  Graph g({6, 6, 3});
  const auto bottleneck = [&](Value x, int64_t filters) {
    return g.conv(g.relu(g.batchnorm(x)), filters, {.kernel = 1});
  };
  const Value a = g.concat(g.conv(g.input(), 4), g.conv(g.input(), 3));
  const Value b = g.concat(a, bottleneck(a, 5));              // a is its first part
  const Value c = g.concat(bottleneck(b, 2), b);              // b is its last
  const Value d = g.concat(g.average_pool(c, {3, 1, 1}), c);  // a pool reads c
  const Value e = g.concat(d, bottleneck(d, 3));              // two read d
  const Value f = g.concat(bottleneck(d, 2), d);
  const Value whole = g.concat(g.concat(e, bottleneck(e, 4)), f);   // e within a part of it, and f
  const Value y = g.add(g.conv(whole, 14), bottleneck(whole, 14));  // a convolution reads it
  const Value late = g.conv(g.relu(g.batchnorm(a)), 14);  // when c, around a, is done with
  // As many channels in as out: the convolution writes where the BatchNorm reads, strip by strip.
  const Value alike = bottleneck(g.average_pool(g.add(y, late), {3, 1, 1}), 14);
  g.set_output(g.linear(g.global_average_pool(g.relu(alike)), 4));
  return g;
}

inline Graph pooling_graph() {
  Graph g({8, 8, 3});
  Value x = g.relu(g.batchnorm(g.conv(g.input(), 6, {.bias = true})));
  const Value early = g.max_pool(x, {2, 2, 0});
  x = g.max_pool(g.relu(g.conv(x, 6, {.bias = true})), {3, 2, 1});
  x = g.concat(g.average_pool(early, {3, 1, 1}), g.add(x, early));
  x = g.average_pool(x, {2, 2, 0});
  x = g.relu(g.batchnorm(g.linear(x, 7, "hidden")));
  g.set_output(g.linear(x, 4));
  return g;
}

/// Whatever invites a mistake with shared memory.
inline Graph awkward_graph() {
  Graph g({8, 8, 3});
  const Value start = g.relu(g.input());  // must not overwrite the images
  const Value x = g.conv(start, 3);
  const Value early = g.relu(x);  // x is read again at the end
  Value y = g.relu(g.batchnorm(g.relu(g.batchnorm(g.conv(early, 3)))));  // a chain in place
  y = g.add(y, y);     // one value twice, in place
  y = g.concat(y, y);  // one value twice, not in place
  y = g.conv(y, 3);
  y = g.add(early, y);         // the first dies here, so does the second
  y = g.add(y, x);             // x still lives
  y = g.add(g.relu(x), y);     // x dies as the first of two
  y = g.add(g.conv(y, 3), y);  // a residual that the convolution still reads
  y = g.add(y, g.input());
  g.set_output(g.linear(y, 4));
  return g;
}

/// A random graph on 6x6 images: any node reads any earlier values, and none stays unread.
inline Graph random_graph(uint64_t seed) {
  const Philox random(seed, RandomStream::test, 9);
  uint64_t next = 0;
  const auto below = [&](size_t n) { return random.below(next++, static_cast<uint32_t>(n)); };
  Graph g({6, 6, 3});
  std::vector<Value> values{g.input(), g.conv(g.input(), 4)};
  const auto any = [&] { return values[below(values.size())]; };
  const auto channels = [&](Value v) { return g.shape_of(v)[2]; };
  for (int i = 0; i < 14; ++i) {
    const Value a = any();
    std::vector<Value> alike;
    for (Value v : values)
      if (g.shape_of(v) == g.shape_of(a)) alike.push_back(v);
    const std::function<Value()> makers[] = {
        [&] { return g.conv(a, 4); },
        [&] { return g.relu(a); },
        [&] { return g.activation(a, Activation::gelu); },
        [&] { return g.batchnorm(a); },
        [&] { return g.add(a, alike[below(alike.size())]); },
        [&] { return g.add(a, alike[below(alike.size())]); },
        [&] { return channels(a) < 12 ? g.concat(a, any()) : g.relu(a); },
        [&] {
          return g.max_pool(a, {3, 1, 1});
        },
        [&] { return g.shortcut_a(a, channels(a) + 1, 1); },
    };
    values.push_back(makers[below(std::size(makers))]());
  }
  Value x = values.back();
  for (size_t i = 1; i + 1 < values.size(); ++i)
    if (g.reader_counts()[at(values[i].node)] == 0) x = g.concat(x, g.conv(values[i], 1));
  g.set_output(g.linear(g.relu(x), 4));
  return g;
}

}  // namespace topograd::test
