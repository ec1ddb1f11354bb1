// Graphs that tests share: every layer on its own, and such as try what a plan does with memory and
// with neighbouring layers.
#pragma once

#include <functional>

#include "kernels/core/philox.h"
#include "kernels/scale_shift/scale_shift.h"
#include "nn/graph.h"
#include "tests/nn/nn_check.h"

namespace topograd::test {

inline Tensor with_batch(int64_t n, const Shape& shape) {
  Shape batch{n};
  for (int64_t extent : shape) batch.push_back(extent);
  return Tensor(batch, DType::f64);
}

/// A small network around one layer.
inline Graph around(const std::function<Value(Graph&, Value)>& layer) {
  Graph g({6, 6, 3});
  g.set_output(g.linear(g.conv(layer(g, g.conv(g.input(), 5)), 4), 4));
  return g;
}

/// Every layer in a small network of its own. What is entered here is held against central
/// differences (gradients, products with the Hessian), in float and in double, as inference of
/// several networks at once, with permuted channels and with rescaled weights.
inline std::vector<std::pair<std::string, Graph>> layer_graphs() {
  std::vector<std::pair<std::string, Graph>> graphs;
  const auto add = [&](const std::string& name, const std::function<Value(Graph&, Value)>& layer) {
    graphs.emplace_back(name, around(layer));
  };
  add("conv", [](Graph& g, Value x) { return g.conv(x, 4, {.stride = 2, .bias = true}); });
  add("conv, axes that differ", [](Graph& g, Value x) {
    return g.conv(x, 4,
                  {.kernel = {3, 2}, .stride = {1, 2}, .padding = {2, 1}, .dilation = {2, 1}});
  });
  add("grouped conv", [](Graph& g, Value x) {
    return g.relu(g.batchnorm(
        g.conv(g.conv(x, 6), 9, {.kernel = 2, .padding = 1, .groups = 3, .bias = true})));
  });
  add("depthwise conv", [](Graph& g, Value x) {
    return g.add(x, g.relu(g.batchnorm(g.conv(x, 5, {.dilation = 2, .groups = 5, .bias = true}))));
  });
  add("depthwise conv with a multiplier",
      [](Graph& g, Value x) { return g.conv(x, 10, {.stride = 2, .groups = 5}); });
  add("transposed conv", [](Graph& g, Value x) {
    return g.batchnorm(g.conv_transpose(
        x, 4, {.stride = {2, 3}, .padding = 1, .output_padding = {0, 1}, .bias = true}));
  });
  add("transposed conv in groups", [](Graph& g, Value x) {
    return g.conv_transpose(g.conv(x, 6), 4, {.kernel = {1, 2}, .dilation = {1, 2}, .groups = 2});
  });
  add("batchnorm", [](Graph& g, Value x) { return g.batchnorm(x); });
  add("batchnorm, relu", [](Graph& g, Value x) { return g.relu(g.batchnorm(x)); });
  add("relu", [](Graph& g, Value x) { return g.relu(x); });
  add("tanh", [](Graph& g, Value x) { return g.activation(x, Activation::tanh); });
  add("gelu", [](Graph& g, Value x) { return g.activation(x, Activation::gelu); });
  for (const Activation& f :
       {Activation::leaky_relu(0.2), Activation::relu6, Activation::silu, Activation::sigmoid,
        Activation::hardswish, Activation::hardsigmoid, Activation::softplus(1.5, 1),
        Activation::elu(0.8), Activation::gelu_tanh})
    add(std::string(name_of(f)), [f](Graph& g, Value x) { return g.activation(x, f); });
  add("exp and a power of it", [](Graph& g, Value x) {
    return g.activation(g.activation(x, Activation::exp), Activation::power(-0.75));
  });
  add("log", [](Graph& g, Value x) {
    return g.activation(g.activation(x, Activation::softplus()), Activation::log);
  });
  add("power", [](Graph& g, Value x) { return g.activation(x, Activation::power(3)); });
  add("tanh behind batchnorm",
      [](Graph& g, Value x) { return g.activation(g.batchnorm(x), Activation::tanh); });
  add("max pool", [](Graph& g, Value x) { return g.max_pool(x, {3, 2, 1}); });
  add("max pool, dilated", [](Graph& g, Value x) {
    return g.max_pool(x, {.kernel = {3, 2}, .stride = {1, 2}, .padding = {1, 0}, .dilation = 2});
  });
  add("average pool", [](Graph& g, Value x) { return g.average_pool(x, {2, 2, 0}); });
  add("average pool, pixels alone", [](Graph& g, Value x) {
    return g.average_pool(x, {.kernel = {3, 4},
                              .stride = {2, 3},
                              .padding = 1,
                              .ceil_mode = true,
                              .count_include_pad = false});
  });
  add("mean over the height", [](Graph& g, Value x) {
    return g.average_pool(x, {.kernel = {6, 1}});
  });
  add("adaptive average pool", [](Graph& g, Value x) { return g.adaptive_average_pool(x, 4, 7); });
  add("adaptive max pool", [](Graph& g, Value x) { return g.adaptive_max_pool(x, 4, 2); });
  Graph global({6, 6, 3});
  global.set_output(global.linear(global.global_max_pool(global.conv(global.input(), 5)), 4));
  graphs.emplace_back("global max pool", std::move(global));
  add("shortcut A", [](Graph& g, Value x) { return g.shortcut_a(x, 8, 2); });
  add("residual",
      [](Graph& g, Value x) { return g.add(x, g.batchnorm(g.conv(g.relu(g.batchnorm(x)), 5))); });
  add("batchnorm without scales, relu",
      [](Graph& g, Value x) { return g.relu(g.batchnorm(x, {.epsilon = 0.1, .affine = false})); });
  add("batchnorm of another epsilon, tanh", [](Graph& g, Value x) {
    return g.activation(g.batchnorm(g.conv(g.relu(x), 5), {.epsilon = 0.3, .momentum = 0.4}),
                        Activation::tanh);
  });
  Graph of_images({6, 6, 3});  // what has no parameters differs from point to point all the same
  const Value norm = of_images.batchnorm(of_images.input(), {.affine = false});
  of_images.set_output(of_images.linear(of_images.conv(norm, 5), 4));
  graphs.emplace_back("batchnorm of the images", std::move(of_images));
  add("group norm", [](Graph& g, Value x) { return g.group_norm(g.conv(x, 6), 3); });
  add("group norm without scales, one group",
      [](Graph& g, Value x) { return g.group_norm(x, 1, {.epsilon = 0.1, .affine = false}); });
  add("instance norm", [](Graph& g, Value x) { return g.instance_norm(x); });
  add("instance norm with scales", [](Graph& g, Value x) {
    return g.instance_norm(g.max_pool(x, {2, 2, 0}), {.affine = true});
  });
  add("layer norm", [](Graph& g, Value x) { return g.layer_norm(x); });
  add("layer norm without scales",
      [](Graph& g, Value x) { return g.layer_norm(x, {.epsilon = 1e-2, .affine = false}); });
  add("layer norm of images",
      [](Graph& g, Value x) { return g.layer_norm(g.conv(x, 4), {.whole_image = true}); });
  add("layer norm of images without scales",
      [](Graph& g, Value x) { return g.layer_norm(x, {.affine = false, .whole_image = true}); });
  add("resize, nearest",
      [](Graph& g, Value x) { return g.resize_nearest(x, {.height = 9, .scale_w = 0.7}); });
  add("resize, bilinear",
      [](Graph& g, Value x) { return g.resize_bilinear(x, {.width = 4, .scale_h = 1.7}); });
  add("resize, bilinear, corners", [](Graph& g, Value x) {
    return g.resize_bilinear(x, {.height = 4, .width = 11, .align_corners = true});
  });
  add("layer norm, inverted bottleneck", [](Graph& g, Value x) {  // a block of a ConvNeXt
    const Value wide = g.conv(g.layer_norm(g.conv(x, 5)), 12, {.kernel = 1, .bias = true});
    return g.add(x, g.conv(g.activation(wide, Activation::gelu), 5, {.kernel = 1, .bias = true}));
  });
  add("broadcast, a vector against an image", [](Graph& g, Value x) {  // squeeze and excitation
    const Value squeezed = g.linear(g.global_average_pool(x), 5, "squeezed");
    return g.multiply(x, g.activation(squeezed, Activation::sigmoid));
  });
  add("broadcast, a map against an image", [](Graph& g, Value x) {  // spatial attention
    const Value map = g.concat({g.conv(x, 1), g.mean(x, {.channels = true})});
    return g.multiply(g.activation(g.conv(map, 1), Activation::sigmoid), x);
  });
  add("broadcast, sums and differences", [](Graph& g, Value x) {
    const Value rows = g.mean(x, {.width = true}), pixels = g.mean(x, {.channels = true});
    return g.subtract(g.mean(g.conv(x, 5), {.height = true, .width = true}),
                      g.add(rows, g.subtract(x, pixels)));
  });
  add("broadcast, images of one shape", [](Graph& g, Value x) {
    // Bounded, so that differences and float hold; in an order that compilers do not choose.
    const Value bounded = g.activation(x, Activation::tanh);
    const Value square = g.multiply(bounded, bounded), one = g.conv(x, 5), other = g.conv(x, 5);
    return g.subtract(g.multiply(square, one), other);
  });
  add("parameters that are combined with a value", [](Graph& g, Value x) {
    x = g.combine(x, {.shape = {5}, .name = "layer_scale"});
    x = g.combine(x, {.operation = Elementwise::add, .shape = {6, 6, 5}, .name = "position"});
    x = g.combine(x, {.operation = Elementwise::subtract, .shape = {6, 6, 1}});
    return g.combine(g.conv(g.combine(x, ParameterOperand{}), 5), {.shape = {6, 1, 5}});
  });
  add("numbers", [](Graph& g, Value x) { return g.scaled(g.scaled(x, 0.5, -0.25), -1.5); });
  add("concat of three", [](Graph& g, Value x) {
    return g.concat({g.conv(x, 2), x, g.relu(g.conv(x, 3))});
  });
  add("rearranged, channels whole", [](Graph& g, Value x) {
    x = g.zero_pad(g.channel_shuffle(g.conv(x, 6), 2), {.top = 1, .left = 2, .right = -1});
    x = g.concat({g.slice_channels(x, 0, 4), g.conv(g.slice_channels(x, 4, 6), 3)});
    // Upside down, every other column.
    return g.rearrange(g.permute(x, {1, 0, 2}),
                       {.extents = {7, 4, 7}, .strides = {-49, 14, 1}, .offset = 6 * 49},
                       {7, 4, 7});
  });
  add("dropout", [](Graph& g, Value x) { return g.dropout(g.relu(x)); });
  Graph biasless({6, 6, 3});
  const Value hidden =
      biasless.linear(biasless.conv(biasless.input(), 5), 6, {.bias = false, .name = "hidden"});
  biasless.set_output(
      biasless.linear(biasless.relu(biasless.batchnorm(hidden)), 4, {.bias = false}));
  graphs.emplace_back("linear without a bias", std::move(biasless));
  return graphs;
}

/// Graphs whose channels have no permutations: layers that tear them apart.
inline std::vector<std::pair<std::string, Graph>> rearranging_graphs() {
  std::vector<std::pair<std::string, Graph>> graphs;
  const auto add = [&](const std::string& name, const std::function<Value(Graph&, Value)>& layer) {
    graphs.emplace_back(name, around(layer));
  };
  add("pixel shuffle", [](Graph& g, Value x) { return g.pixel_shuffle(g.conv(x, 8), 2); });
  add("permute", [](Graph& g, Value x) { return g.permute(x, {2, 0, 1}); });
  Graph flat({6, 5, 3});
  const Value x = flat.flatten(flat.activation(flat.conv(flat.input(), 4), Activation::tanh));
  const Value y = flat.concat({flat.linear(x, 5, "first"), flat.slice_channels(x, 7, 20)});
  flat.set_output(flat.linear(flat.multiply(y, flat.linear(y, 1, "gate")), 4));
  graphs.emplace_back("flatten, vectors", std::move(flat));
  return graphs;
}

/// A layer that nothing but this file has heard of: y = scale x + shift per channel. It answers no
/// question, so that the rest of the project can know nothing of it but its forward pass.
class UnknownLayer : public Layer {
 public:
  std::string_view kind() const override { return "unknown"; }
  void forward(const ForwardCall& call, Context& context) const override {
    scale_shift(
        {.y = call.y, .x = call.x[0], .scale = call.parameters[0], .shift = call.parameters[1]},
        context);
  }
  void backward(const BackwardCall&, Context&) const override {
    fail("the unknown layer has no backward pass");
  }
};
inline Value unknown_layer(Graph& g, Value x,
                           ParameterKind second_kind = ParameterKind::norm_shift) {
  const Shape shape = g.shape_of(x), channels{channels_of(shape)};
  return g.add_layer(
      g.name_in_scope({}, "unknown"), std::make_unique<UnknownLayer>(), {x}, shape,
      {{"scale", ParameterKind::norm_scale, channels}, {"shift", second_kind, channels}});
}
/// One behind the images, whose input all networks share, and others among layers that fuse.
inline Graph unknown_graph() {
  Graph g({6, 6, 3});
  const Value start = unknown_layer(g, g.input());
  Value x = g.relu(unknown_layer(g, g.batchnorm(g.conv(start, 5))));
  x = g.add(g.conv(x, 5), unknown_layer(g, g.concat(g.conv(x, 2), start)));
  g.set_output(g.linear(unknown_layer(g, x), 4));
  return g;
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

/// Layers that read the parameters of others: within a phase, and across a BatchNorm.
inline Graph shared_graph() {
  Graph g({6, 6, 5});
  const auto again = [&](Value owner, Value x) {
    g.share_parameters(owner);
    return g.activation(g.conv(x, 5, {.bias = true}), Activation::tanh);
  };
  const Value first = g.conv(g.input(), 5, {.bias = true});
  Value x = again(first, g.activation(first, Activation::tanh));
  x = again(first, g.batchnorm(g.add(x, g.conv(x, 5))));
  const Value norm = g.layer_norm(x);
  g.share_parameters(norm);
  x = g.layer_norm(g.add(g.activation(norm, Activation::gelu), x));
  g.set_output(g.linear(x, 4));
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
