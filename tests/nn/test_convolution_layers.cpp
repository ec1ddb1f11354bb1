// Convolutions of every kind as layers: shapes and names of what they hold, its order in PyTorch,
// first weights, work, and what is refused.
#include "nn/graph.h"
#include "nn/initialisation.h"
#include "tests/nn/nn_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const ParameterEntry& entry(const Graph& graph, const std::string& name) {
  for (const ParameterEntry& e : graph.layout().parameters())
    if (e.name == name) return e;
  FAIL(name, " is not there");
  return graph.layout().parameters()[0];
}

/// The whole element at a place of a tensor of four axes.
int64_t at_place(const Shape& shape, int64_t a, int64_t b, int64_t c, int64_t d) {
  return ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;
}

}  // namespace

TEST_CASE("convolution layers: shapes, and names as PyTorch's modules have them") {
  Graph g({9, 7, 6});
  const Value x = g.conv(g.input(), 8,
                         {.kernel = {3, 2},
                          .stride = {2, 1},
                          .padding = {1, 0},
                          .dilation = {1, 3},
                          .groups = 2,
                          .bias = true,
                          .name = "conv"});
  CHECK(g.shape_of(x) == (Shape{5, 4, 8}));
  CHECK(entry(g, "conv.weight").torch_shape() == (Shape{8, 3, 3, 2}));
  CHECK(entry(g, "conv.bias").shape == (Shape{8}));
  const Value up = g.conv_transpose(x, 6,
                                    {.kernel = {4, 3},
                                     .stride = {3, 2},
                                     .padding = {1, 0},
                                     .output_padding = {2, 1},
                                     .groups = 2});
  CHECK(g.shape_of(up) == (Shape{16, 10, 6}));  // (5 - 1) 3 - 2 + 3 + 2 + 1, (4 - 1) 2 + 2 + 1 + 1
  CHECK(entry(g, "conv_transpose1.weight").torch_shape() == (Shape{8, 3, 4, 3}));
  const Value wide = g.conv(up, 6, {.kernel = {5, 1}, .dilation = {2, 1}, .groups = 6});
  CHECK(g.shape_of(wide) == (Shape{16, 10, 6}));  // the default keeps the extent
  g.set_output(g.linear(wide, 4, {.bias = false}));
  std::vector<std::string> names;
  for (const ParameterEntry& e : g.layout().parameters()) names.push_back(e.name);
  CHECK(names == std::vector<std::string>{"conv.weight", "conv.bias", "conv_transpose1.weight",
                                          "conv1.weight", "linear.weight"});
  CHECK(g.macs() == 5 * 4 * 8 * 6 * 3 + 5 * 4 * 8 * 12 * 3 + 16 * 10 * 6 * 5 + 960 * 4);
}

TEST_CASE("convolution layers: a weight's last axis is the second in PyTorch, of either kind") {
  for (ParameterKind kind : {ParameterKind::conv_weight, ParameterKind::conv_transpose_weight}) {
    const ParameterEntry e{"weight", kind, {4, 2, 3, 5}, 0};
    const Shape theirs = e.torch_shape();
    REQUIRE(theirs == Shape{4, 5, 2, 3});
    const Tensor ours = normals(e.size(), 1), torch({e.size()}), back({e.size()});
    to_torch_order(e, ours.data<float>(), torch.data<float>());
    CHECK(torch.data<float>()[at_place(theirs, 3, 4, 1, 0)] ==
          ours.data<float>()[at_place(e.shape, 3, 1, 0, 4)]);
    from_torch_order(e, torch.data<float>(), back.data<float>());
    CHECK(same_bits(ours, back));
  }
}

// fan_in and fan_out as torch.nn.init._calculate_fan_in_and_fan_out counts them: the second axis of
// its tensor times the window, the first times the window.
TEST_CASE("convolution layers: first weights in the bounds of PyTorch's fans") {
  Graph g({6, 6, 8});
  Value x = g.conv(g.input(), 8, {.groups = 8, .bias = true, .name = "depthwise"});
  x = g.conv(x, 16, {.kernel = {1, 3}, .groups = 2, .bias = true, .name = "grouped"});
  x = g.conv_transpose(x, 12, {.kernel = 2, .groups = 4, .bias = true, .name = "transposed"});
  g.set_output(g.linear(x, 4));
  const Tensor theta({g.layout().parameter_count()}), states({g.layout().state_count()});
  const auto largest = [&](const std::string& name) {
    const ParameterEntry& e = entry(g, name);
    float most = 0;
    for (int64_t i = 0; i < e.size(); ++i)
      most = std::max(most, std::abs(theta.data<float>()[e.offset + i]));
    return most;
  };
  const auto close_below = [&](const std::string& name, double bound) {
    CAPTURE(name);
    CHECK(largest(name) <= bound);
    CHECK(largest(name) > 0.8 * bound);  // of 72 numbers and more
  };
  initialise(g.layout(), 1, theta, states, Initialisation::pytorch);
  close_below("depthwise.weight", 1 / std::sqrt(9.0));
  close_below("grouped.weight", 1 / std::sqrt(4 * 3.0));
  close_below("transposed.weight", 1 / std::sqrt(3 * 4.0));
  CHECK(largest("transposed.bias") <= 1 / std::sqrt(3 * 4.0));
  CHECK(largest("depthwise.bias") <= 1 / std::sqrt(9.0));
  CHECK(largest("depthwise.bias") > 0);
  initialise(g.layout(), 1, theta, states, Initialisation::xavier);
  close_below("depthwise.weight", std::sqrt(6 / (9 + 8 * 9.0)));
  close_below("grouped.weight", std::sqrt(6 / (12 + 16 * 3.0)));
  close_below("transposed.weight", std::sqrt(6 / (12 + 16 * 4.0)));
}

// <conv(y), x> = <y, conv_transpose(x)> for all x and y: the two share one weight.
TEST_CASE("convolution layers: a transposed convolution is the adjoint of the convolution") {
  const PerAxis kernel{3, 2}, stride{2, 3}, padding{1, 0}, dilation{1, 2};
  Graph up({5, 4, 6});
  up.conv_transpose(up.input(), 4,
                    {.kernel = kernel,
                     .stride = stride,
                     .padding = padding,
                     .output_padding = {1, 2},
                     .dilation = dilation,
                     .groups = 2});
  const Shape y_shape = up.nodes().back().shape;
  Graph down(y_shape);
  down.conv(
      down.input(), 6,
      {.kernel = kernel, .stride = stride, .padding = padding, .dilation = dilation, .groups = 2});
  REQUIRE(down.nodes().back().shape == Shape{5, 4, 6});
  const auto run = [](const Graph& g, const Tensor& x, const Tensor& w) {
    const auto batch = [](const Shape& s) { return Shape{1, s[0], s[1], s[2]}; };
    const Tensor y(batch(g.nodes().back().shape), DType::f64);
    const Tensor inputs[] = {x.reshaped(batch(g.image_shape()))};
    const Tensor weights[] = {w.reshaped(g.layout().parameters()[0].shape)};
    Context context;
    g.nodes().back().layer->forward(
        {.y = y, .x = inputs, .parameters = weights, .running_stats = {}}, context);
    return y;
  };
  const auto product = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
    return sum;
  };
  const Tensor x = normals(5 * 4 * 6, 1).converted(DType::f64);
  const Tensor y = normals(y_shape.size(), 2).converted(DType::f64);
  const Tensor w = normals(up.layout().parameter_count(), 3).converted(DType::f64);
  REQUIRE(down.layout().parameter_count() == w.size());
  const double one = product(run(down, y, w), x), other = product(y, run(up, x, w));
  CHECK(one == doctest::Approx(other).epsilon(1e-12));
}

TEST_CASE("convolution layers: what is no convolution is refused in one line") {
  Graph g({6, 6, 4});
  const auto complaint = [&](auto make) { return error_of([&] { make(); }); };
  CHECK(complaint([&] { g.conv(g.input(), 4, {.groups = 3}); }) ==
        "conv1: 4 channels do not divide among 3 groups");
  CHECK(complaint([&] { g.conv(g.input(), 5, {.groups = 2, .name = "c"}); }) ==
        "c: 5 filters do not divide among 2 groups");
  CHECK(complaint([&] { g.conv(g.input(), 4, {.kernel = 0, .name = "c"}); }) ==
        "c: 4 filters with a kernel of 0 make no convolution");
  CHECK(
      complaint([&] {
        g.conv(g.input(), 4, {.kernel = {1, 9}, .padding = 0, .name = "c"});
      }) ==
      "c: the kernel [4x1x9x4] with stride 1, padding 0 is larger than the padded input [1x6x6x4]");
  CHECK(complaint([&] {
          g.conv_transpose(g.input(), 4, {.stride = 2, .output_padding = {1, 2}, .name = "t"});
        }) == "t: the output's padding 1x2 must be smaller than the stride, 2");
  CHECK(complaint([&] { g.conv_transpose(g.input(), 4, {.padding = 5, .name = "t"}); }) ==
        "t: nothing is left of an image of [6x6x4] with stride 1, padding 5");
  CHECK(complaint([&] { g.conv_transpose(g.input(), 3, {.groups = 2, .name = "t"}); }) ==
        "t: 4 channels and 3 filters do not divide among 2 groups");
}
