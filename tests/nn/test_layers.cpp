// Layers that other tests hold against derivatives alone: the elements they compute, and what they
// refuse.
#include <functional>

#include "kernels/core/numbers.h"
#include "nn/graph.h"
#include "nn/initialisation.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Two images of the shapes, 0, 1, 2, ... from input to input, through the last layer of a graph.
std::vector<double> last_layer_of(const Graph& graph) {
  const Node& node = graph.nodes().back();
  const auto images = [](const Shape& shape) {
    Shape batch{2};
    for (int64_t extent : shape) batch.push_back(extent);
    return Tensor(batch, DType::f64);
  };
  std::vector<Tensor> x;
  double next = 0;
  for (int input : node.inputs) {
    x.push_back(images(graph.nodes()[at(input)].shape));
    for (int64_t i = 0; i < x.back().size(); ++i) x.back().data<double>()[i] = next++;
  }
  const Tensor y = images(node.shape);
  Context context;
  node.layer->forward({.y = y, .x = x, .parameters = {}, .running_stats = {}}, context);
  return {y.data<double>(), y.data<double>() + y.size()};
}

/// Place of a channel of a pixel of the first image [H, W, C].
double element(const Shape& s, int64_t h, int64_t w, int64_t c) {
  return static_cast<double>((h * s[1] + w) * s[2] + c);
}

/// Checks the layer's output pixel by pixel: `expected` gives that of the first image, elements of
/// the second are one image further, all but its zeros.
void check_elements(const Graph& graph,
                    const std::function<double(int64_t, int64_t, int64_t)>& expected) {
  const Shape out = graph.nodes().back().shape;
  const std::vector<double> y = last_layer_of(graph);
  const double image = static_cast<double>(graph.image_shape().size());
  for (int64_t n = 0, i = 0; n < 2; ++n)
    for (int64_t h = 0; h < out[0]; ++h)
      for (int64_t w = 0; w < out[1]; ++w)
        for (int64_t c = 0; c < out[2]; ++c, ++i) {
          const double e = expected(h, w, c);
          CHECK(y[at(i)] == (e < 0 ? 0 : e + static_cast<double>(n) * image));
        }
}

}  // namespace

TEST_CASE("layers: rearrangements put every element where PyTorch's do") {
  const Shape s{3, 4, 8};
  {
    Graph g(s);
    g.channel_shuffle(g.input(), 2);  // channels 0 4 1 5 2 6 3 7
    check_elements(
        g, [&](int64_t h, int64_t w, int64_t c) { return element(s, h, w, c / 2 + c % 2 * 4); });
  }
  {
    Graph g(s);
    g.pixel_shuffle(g.input(), 2);
    CHECK(g.nodes().back().shape == Shape{6, 8, 2});
    check_elements(g, [&](int64_t h, int64_t w, int64_t c) {
      return element(s, h / 2, w / 2, 4 * c + h % 2 * 2 + w % 2);
    });
  }
  {
    Graph g(s);
    g.permute(g.input(), {2, 0, 1});
    CHECK(g.nodes().back().shape == Shape{8, 3, 4});
    check_elements(g, [&](int64_t a, int64_t b, int64_t c) { return element(s, b, c, a); });
  }
  {
    Graph g(s);
    g.slice_channels(g.input(), 3, 6);
    check_elements(g, [&](int64_t h, int64_t w, int64_t c) { return element(s, h, w, 3 + c); });
  }
  {
    Graph g(s);
    g.zero_pad(g.input(), {.top = 1, .bottom = -1, .left = -2, .right = 3});
    CHECK(g.nodes().back().shape == Shape{3, 5, 8});
    check_elements(g, [&](int64_t h, int64_t w, int64_t c) {
      return h < 1 || w >= 2 ? -1 : element(s, h - 1, w + 2, c);
    });
  }
  Graph g(s);
  g.flatten(g.input());
  const std::vector<double> flat = last_layer_of(g);
  for (int64_t c = 0, i = 0; c < 8; ++c)
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t w = 0; w < 4; ++w, ++i) {
        CHECK(flat[at(i)] == element(s, h, w, c));
        CHECK(flat[at(i + s.size())] == element(s, h, w, c) + static_cast<double>(s.size()));
      }
}

TEST_CASE("layers: a smaller value is broadcast against a larger one, whichever comes first") {
  for (bool swapped : {false, true})
    for (Elementwise operation : {Elementwise::add, Elementwise::subtract, Elementwise::multiply}) {
      Graph g({2, 3, 2});
      const Value map = g.mean(g.input(), {.height = true, .channels = true});  // [1, 3, 1]
      if (swapped)
        g.combine(map, g.input(), operation);
      else
        g.combine(g.input(), map, operation);
      // The larger one holds 0 to 23, the smaller one 24 to 29, three for each image.
      const std::vector<double> y = last_layer_of(g);
      for (int64_t i = 0; i < 24; ++i) {
        const double large = static_cast<double>(i);
        const double small = static_cast<double>(24 + i / 12 * 3 + i / 2 % 3);
        const double a = swapped ? small : large, b = swapped ? large : small;
        CHECK(y[at(i)] == (operation == Elementwise::add        ? a + b
                           : operation == Elementwise::subtract ? a - b
                                                                : a * b));
      }
    }
}

TEST_CASE("layers: means over axes keep them, with an extent of 1") {
  Graph g({2, 3, 2});
  g.mean(g.input(), {.channels = true});
  CHECK(g.nodes().back().shape == Shape{2, 3, 1});
  std::vector<double> y = last_layer_of(g);
  for (int64_t i = 0; i < 12; ++i) CHECK(y[at(i)] == 2 * static_cast<double>(i) + 0.5);
  Graph rows({2, 3, 2});
  rows.mean(rows.input(), {.height = true, .width = true});
  CHECK(rows.nodes().back().shape == Shape{1, 1, 2});
  y = last_layer_of(rows);
  CHECK(y == std::vector<double>{5, 6, 17, 18});
}

TEST_CASE("layers: parameters that are combined with a value have PyTorch's names and shapes") {
  Graph g({4, 3, 5});
  Value x = g.input();
  {
    const auto scope = g.scope("features.0");
    x = g.combine(x, {.shape = {5}, .initial = 1e-6, .name = "layer_scale"});
    x = g.combine(x, {.operation = Elementwise::add, .shape = {4, 3, 5}, .initial = 0.25});
  }
  const std::vector<ParameterEntry>& parameters = g.layout().parameters();
  CHECK(parameters[0].name == "features.0.layer_scale");
  CHECK(parameters[0].torch_shape() == Shape{5});
  CHECK(parameters[1].name == "features.0.parameter1");
  CHECK(parameters[1].torch_shape() == Shape{1, 5, 4, 3});
  const Tensor theta({g.layout().parameter_count()}), no_statistics({0});
  initialise(g.layout(), 1, theta, no_statistics, Initialisation::pytorch);
  CHECK(theta.data<float>()[4] == 1e-6F);
  CHECK(theta.data<float>()[5] == 0.25F);
}

TEST_CASE("layers: what does not fit is refused when the graph is made") {
  Graph g({4, 3, 6});
  const Value x = g.input(), other = g.conv(x, 4);
  CHECK_THROWS_WITH_AS(g.add(x, other),
                       "add: neither of [4x3x6] and [4x3x4] can be broadcast against the other",
                       Error);
  CHECK_THROWS_AS(g.multiply(g.mean(x, {.height = true}), g.mean(x, {.width = true})), Error);
  CHECK_THROWS_AS(g.combine(x, {.shape = {4}}), Error);
  CHECK_THROWS_AS(g.concat(std::vector<Value>{}), Error);
  CHECK_THROWS_AS(g.concat({x, other, g.mean(x, {.height = true})}), Error);
  CHECK_THROWS_AS(g.channel_shuffle(x, 4), Error);
  CHECK_THROWS_AS(g.pixel_shuffle(x, 2), Error);
  CHECK_THROWS_AS(g.permute(x, {0, 1, 1}), Error);
  CHECK_THROWS_AS(g.slice_channels(x, 3, 7), Error);
  CHECK_THROWS_AS(g.zero_pad(x, {.top = -2, .bottom = -2}), Error);
  CHECK_THROWS_AS(g.dropout(x, {.probability = 1.5}), Error);
  CHECK_THROWS_WITH_AS(
      g.rearrange(x, {.extents = {3, 2}, .strides = {1, 1}}, {6}),
      "rearrange: an element of the input is read twice, so that its gradient is not one element's",
      Error);
  CHECK_THROWS_WITH_AS(g.rearrange(x, {.extents = {3}, .strides = {1}, .offset = 70}, {3}),
                       "rearrange: elements 70 to 72 are read, of 72", Error);
  CHECK_THROWS_AS(g.rearrange(x, {.extents = {3}, .strides = {1, 1}}, {3}), Error);
  CHECK_THROWS_AS(g.rearrange(x, {.extents = {3}, .strides = {1}}, {4}), Error);
  CHECK_THROWS_AS(g.rearrange(x, {.extents = {3}, .strides = {1}, .begins = {2}, .ends = {1}}, {3}),
                  Error);
}
