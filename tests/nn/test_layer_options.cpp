// Options of layers: what the graph makes of them, and what it refuses before anything is computed.
#include "nn/graph.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Checks that a layer behind an image of 6 x 5 pixels and 6 channels is refused with this message.
void check_refused(const std::function<Value(Graph&, Value)>& layer, const char* message) {
  Graph g({6, 5, 6});
  const auto outer = g.scope("stage");
  CHECK_THROWS_WITH_AS(layer(g, g.input()), message, Error);
}

/// The shape that a layer makes of such an image.
Shape shape_behind(const std::function<Value(Graph&, Value)>& layer) {
  Graph g({6, 5, 6});
  return g.shape_of(layer(g, g.input()));
}

}  // namespace

TEST_CASE("layer options: BatchNorms that there are not are refused by name") {
  check_refused([](Graph& g, Value x) { return g.batchnorm(x, {.track_running_stats = false}); },
                "stage.bn1: without running statistics a BatchNorm normalises by the batch in "
                "inference too, and an image's logits depend on the others: there is no such layer "
                "here");
  check_refused([](Graph& g, Value x) { return g.batchnorm(x, {.cumulative_average = true}); },
                "stage.bn1: running statistics that are the mean over all batches (PyTorch's "
                "momentum=None) need their number, which is no part of a network here: choose a "
                "momentum");
  check_refused(
      [](Graph& g, Value x) { return g.batchnorm(x, {.momentum = 0, .name = "norm"}); },
      "stage.norm: the momentum of running statistics must be above 0 and at most 1, got 0");
  check_refused([](Graph& g, Value x) { return g.batchnorm(x, {.epsilon = 0}); },
                "stage.bn1: epsilon must be above 0, got 0");
}

TEST_CASE("layer options: norms of an image's own statistics that there are not are refused") {
  check_refused([](Graph& g, Value x) { return g.group_norm(x, 4); },
                "stage.gn1: 6 channels do not make 4 groups");
  check_refused([](Graph& g, Value x) { return g.layer_norm(x, {.epsilon = -1}); },
                "stage.ln1: epsilon must be above 0, got -1");
  check_refused(
      [](Graph& g, Value x) { return g.instance_norm(x, {.track_running_stats = true}); },
      "stage.in1: an instance norm that tracks running statistics normalises by them in inference, "
      "and by an image's own in training: there is no such layer here. Where the network is only "
      "evaluated, it is a batchnorm with the same running statistics");
  check_refused([](Graph& g, Value x) { return g.instance_norm(g.adaptive_average_pool(x, 1, 1)); },
                "stage.in1: an image of one pixel has no deviation, got [1x1x6]");
}

TEST_CASE("layer options: windows and extents that make no image are refused") {
  check_refused(
      [](Graph& g, Value x) {
        return g.max_pool(x, {.kernel = {7, 2}});
      },
      "max_pool: an image of 6x5 is smaller than a window, kernel 7x2 with padding 0 and "
      "dilation 1");
  check_refused([](Graph& g, Value x) { return g.average_pool(x, {.kernel = 2, .dilation = 2}); },
                "average_pool: the windows of an average have no dilation, got 2");
  check_refused([](Graph& g, Value x) { return g.adaptive_max_pool(x, 0, 2); },
                "adaptive_max_pool makes an image of at least one pixel, not 0x2");
  check_refused(
      [](Graph& g, Value x) { return g.resize_nearest(x, {.height = 3}); },
      "resize_nearest: an axis is resized either to an extent of at least 1 or by a scale "
      "above 0, not to 0 by 0");
  check_refused(
      [](Graph& g, Value x) { return g.resize_bilinear(x, {.height = 3, .scale_w = 0.1}); },
      "resize_bilinear: 5 pixels times 0.1 make no image");
}

TEST_CASE("layer options: extents are PyTorch's") {
  const auto check = [](const Shape& shape, const std::function<Value(Graph&, Value)>& layer) {
    CHECK(shape_behind(layer) == shape);
  };
  check({3, 5, 6}, [](Graph& g, Value x) {
    return g.max_pool(x, {.kernel = {3, 1}, .stride = {2, 1}, .padding = {1, 0}});
  });
  check({3, 3, 6}, [](Graph& g, Value x) {
    return g.average_pool(x, {.kernel = 2, .stride = 2, .ceil_mode = true});
  });
  check({1, 5, 6}, [](Graph& g, Value x) { return g.average_pool(x, {.kernel = {6, 1}}); });
  check({8, 2, 6}, [](Graph& g, Value x) { return g.adaptive_average_pool(x, 8, 2); });
  check({6}, [](Graph& g, Value x) { return g.global_max_pool(x); });
  check({7, 9, 6},
        [](Graph& g, Value x) { return g.resize_bilinear(x, {.width = 9, .scale_h = 1.3}); });
}

TEST_CASE("layer options: scales over a whole image have its shape, and PyTorch's order in files") {
  Graph g({2, 3, 4});
  g.layer_norm(g.input(), {.whole_image = true});
  g.group_norm(g.input(), 2, {.affine = false});
  g.batchnorm(g.input(), {.affine = false});
  CHECK(g.layout().parameters().size() == 2);
  CHECK(g.layout().running_stats().size() == 2);
  const ParameterEntry& scales = g.layout().parameters()[0];
  CHECK(scales.name == "ln1.weight");
  CHECK(scales.shape == Shape{2, 3, 4});
  CHECK(scales.torch_shape() == Shape{4, 2, 3});
  std::vector<float> ours(24), theirs(24), back(24);
  for (size_t i = 0; i < 24; ++i) ours[i] = static_cast<float>(i);
  to_torch_order(scales, ours.data(), theirs.data());
  for (size_t h = 0; h < 2; ++h)
    for (size_t w = 0; w < 3; ++w)
      for (size_t c = 0; c < 4; ++c)
        CHECK(theirs[(c * 2 + h) * 3 + w] == ours[(h * 3 + w) * 4 + c]);
  from_torch_order(scales, theirs.data(), back.data());
  CHECK(back == ours);
}
