// Assignment against all permutations; groups of channels of every kind of network, by what the
// permuted network computes; alignment by permutations that were planted.
#include "landscape/connectivity/alignment.h"

#include <numeric>

#include "landscape/connectivity/assignment.h"
#include "models/registry.h"
#include "nn/inference.h"
#include "tests/nn/nn_check.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using namespace topograd::test;

namespace {

double total(const std::vector<double>& gain, const std::vector<int64_t>& p) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += gain[i * p.size() + at(p[i])];
  return sum;
}

double best_of_all(const std::vector<double>& gain, int64_t n) {
  std::vector<int64_t> p(at(n));
  std::iota(p.begin(), p.end(), 0);
  double best = total(gain, p);
  while (std::next_permutation(p.begin(), p.end())) best = std::max(best, total(gain, p));
  return best;
}

bool is_permutation(std::vector<int64_t> p) {
  std::sort(p.begin(), p.end());
  for (size_t i = 0; i < p.size(); ++i)
    if (p[i] != static_cast<int64_t>(i)) return false;
  return true;
}

ChannelPermutation random_permutation(const std::vector<ChannelGroup>& groups, uint64_t seed) {
  ChannelPermutation permutation;
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::vector<int32_t> order = shuffled_order(groups[g].size, seed + g, 0);
    permutation.emplace_back(order.begin(), order.end());
  }
  return permutation;
}

Graph model(const std::string& name, char shortcut = 'B', int64_t width = 0) {
  ModelSpec spec{.name = name, .shortcut = shortcut, .width = width, .classes = 4};
  return build_model(with_size(spec, 0, width));
}

/// Logits of a few random images in double.
Tensor logits_of(const Graph& graph, const Tensor& theta, const Tensor& running_stats) {
  const Shape& image = graph.image_shape();
  const Tensor x = normals(2 * image.size(), 5).converted(DType::f64);
  InferencePlan plan(graph, 2, DType::f64);
  plan.bind(theta.converted(DType::f64), running_stats.converted(DType::f64));
  Context context;
  return plan.run(x.reshaped({2, image[0], image[1], image[2]}), context).clone();
}

void check_same_function(const Graph& graph, uint64_t seed) {
  const Weights w = random_weights(graph, seed);
  const std::vector<ChannelGroup> groups = channel_groups(graph);
  const PermutedNetwork other =
      permuted(graph, groups, random_permutation(groups, seed), w.theta, w.running_stats);
  CHECK_FALSE(same_bits(other.theta, w.theta));
  const Tensor a = logits_of(graph, w.theta, w.running_stats);
  const Tensor b = logits_of(graph, other.theta, other.running_stats);
  double scale = 0;
  for (int64_t i = 0; i < a.size(); ++i) scale = std::max(scale, std::abs(a.data<double>()[i]));
  REQUIRE(scale > 0);
  for (int64_t i = 0; i < a.size(); ++i)
    CHECK(std::abs(a.data<double>()[i] - b.data<double>()[i]) <= 1e-11 * scale);
}

std::vector<int64_t> sizes_of(const std::vector<ChannelGroup>& groups) {
  std::vector<int64_t> sizes;
  for (const ChannelGroup& group : groups) sizes.push_back(group.size);
  return sizes;
}

}  // namespace

TEST_CASE("assignment: as good as the best of all permutations") {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const Philox random(seed, RandomStream::test);
    const int64_t n = static_cast<int64_t>(seed % 7);
    std::vector<double> gain;
    for (int64_t i = 0; i < n * n; ++i) {
      const double value = random.normal(static_cast<uint64_t>(i));
      gain.push_back(seed % 3 == 0 ? std::round(value) : value);  // with ties, and without
    }
    const std::vector<int64_t> found = best_assignment(gain, n);
    REQUIRE(static_cast<int64_t>(found.size()) == n);
    CHECK(is_permutation(found));
    CHECK(total(gain, found) == doctest::Approx(best_of_all(gain, n)).epsilon(1e-12));
  }
}

TEST_CASE("assignment: a large one that was planted, and gains that are none") {
  const int64_t n = 150;
  const std::vector<int32_t> planted = shuffled_order(n, 3, 0);
  std::vector<double> gain(at(n * n));
  const Philox random(2, RandomStream::test);
  for (size_t i = 0; i < gain.size(); ++i) gain[i] = random.uniform(i);
  for (int64_t i = 0; i < n; ++i) gain[at(i * n) + static_cast<size_t>(planted[at(i)])] += 1;
  const std::vector<int64_t> found = best_assignment(gain, n);
  for (int64_t i = 0; i < n; ++i) CHECK(found[at(i)] == planted[at(i)]);
  gain[7] = std::nan("");
  CHECK_THROWS_AS(best_assignment(gain, n), Error);
  CHECK_THROWS_AS(best_assignment({1, 2, 3}, 2), Error);
}

TEST_CASE(
    "channel groups: within the groups of a convolution; a depthwise one keeps its channels") {
  Graph g({6, 6, 3});
  Value x = g.conv(g.input(), 8, {.name = "first"});
  x = g.relu(g.batchnorm(g.conv(x, 8, {.groups = 8, .name = "depthwise"})));
  x = g.conv(x, 6, {.groups = 2, .name = "grouped"});
  x = g.conv_transpose(x, 4, {.groups = 2, .name = "transposed"});
  g.set_output(g.linear(x, 4));
  std::vector<std::pair<std::string, int64_t>> found;
  for (const ChannelGroup& group : channel_groups(g)) found.push_back({group.name, group.size});
  // Of the first layer's channels those that one group of the third reads; of the others each
  // group's own.
  CHECK(found == std::vector<std::pair<std::string, int64_t>>{{"first", 4},
                                                              {"first", 4},
                                                              {"grouped", 3},
                                                              {"grouped", 3},
                                                              {"transposed", 2},
                                                              {"transposed", 2}});
}

TEST_CASE("channel groups: a permuted network computes the same function") {
  for (const char* name : {"resnet8_noshort", "vgg9", "mlp", "lenet", "wrn10_2", "densenetbc10_4"})
    SUBCASE(name) {
      const bool fixed = std::string(name) == "lenet" || std::string(name) == "densenetbc10_4";
      check_same_function(model(name, 'B', fixed ? 0 : 4), 3);
    }
  SUBCASE("resnet8, option B") {
    check_same_function(model("resnet8", 'B', 4), 3);
  }
  SUBCASE("resnet14, option A") {
    check_same_function(model("resnet14", 'A', 4), 3);
  }
  SUBCASE("resnet50, bottlenecks") {
    check_same_function(model("resnet50", 'B', 2), 3);
  }
  SUBCASE("wide, option A") {
    check_same_function(model("wrn16_1", 'A', 4), 3);
  }
  SUBCASE("every layer") {
    for (const auto& entry : layer_graphs()) {
      CAPTURE(entry.first);
      check_same_function(entry.second, 3);
    }
  }
  SUBCASE("dense") {
    check_same_function(dense_graph(), 3);
  }
  SUBCASE("pooling") {
    check_same_function(pooling_graph(), 3);
  }
}

TEST_CASE("channel groups: a layer that does not say which channels it has is an error") {
  CHECK_THROWS_WITH_AS(
      channel_groups(around([](Graph& g, Value x) { return unknown_layer(g, x); })),
      "the channels of this network cannot be permuted: the layer unknown1 (unknown) does not say "
      "which channels its output has (Layer::channel_map)",
      Error);
}

TEST_CASE("channel groups: channels that a layer tears apart cannot be permuted, and it is named") {
  Graph flat({4, 3, 6});
  flat.set_output(flat.linear(flat.flatten(flat.conv(flat.input(), 4)), 3));
  CHECK_THROWS_WITH_AS(
      channel_groups(flat),
      "the channels of this network cannot be permuted: the layer flatten1 (flatten) does not say "
      "which channels its output has (Layer::channel_map)",
      Error);
  Graph shuffled({4, 3, 6});
  shuffled.set_output(
      shuffled.linear(shuffled.pixel_shuffle(shuffled.conv(shuffled.input(), 4), 2), 3));
  CHECK_THROWS_AS(channel_groups(shuffled), Error);
  Graph turned({2, 1, 3});
  const Value x = turned.conv(turned.input(), 2);  // [2, 1, 2]: rows of two channels
  turned.set_output(turned.linear(
      turned.rearrange(x, {.extents = {2, 2}, .strides = {2, -1}, .offset = 1}, {2, 1, 2}), 3));
  CHECK(channel_groups(turned).size() == 1);  // channels change places: as good as before
  Graph torn({2, 1, 3});
  const Value y = torn.conv(torn.input(), 2);
  // Element (h, c) of the output is (c, h) of the input: neither channel stays one.
  torn.set_output(
      torn.linear(torn.rearrange(y, {.extents = {2, 2}, .strides = {1, 2}}, {2, 1, 2}), 3));
  CHECK_THROWS_AS(channel_groups(torn), Error);
}

TEST_CASE("channel groups: every layer of a plain network has its own") {
  const Graph graph = model("resnet8_noshort", 'B', 4);
  CHECK(sizes_of(channel_groups(graph)) == std::vector<int64_t>{4, 4, 4, 8, 8, 16, 16});
  CHECK(sizes_of(channel_groups(model("vgg9", 'B', 4))) ==
        std::vector<int64_t>{4, 4, 8, 8, 16, 16, 16, 16});
}

TEST_CASE("channel groups: residual sums tie a stage's blocks together") {
  // The stem and stage 1, and inside each of its three blocks; likewise the other stages.
  const std::vector<ChannelGroup> b = channel_groups(model("resnet20", 'B', 4));
  CHECK(b.size() == 12);
  CHECK(b.front().name == "conv1");
  CHECK(sizes_of(b) == std::vector<int64_t>{4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16});
  // Without projections the channels of stage 1 go on as the middle ones of stage 2, and those as
  // the middle ones of stage 3: what is left in each are the ones that began there.
  const std::vector<ChannelGroup> a = channel_groups(model("resnet20", 'A', 4));
  CHECK(sizes_of(a) == std::vector<int64_t>{4, 4, 4, 4, 8, 4, 8, 8, 16, 8, 16, 16});
}

TEST_CASE("alignment: a planted permutation is found exactly") {
  struct Case {
    std::string name;
    char shortcut;
  };
  for (const Case& of : {Case{"resnet14", 'B'}, Case{"resnet14", 'A'},
                         Case{"resnet14_noshort", 'B'}, Case{"vgg9", 'B'}})
    for (uint64_t seed : {1U, 2U}) {
      CAPTURE(of.name);
      const Graph graph = model(of.name, of.shortcut, 8);
      const std::vector<ChannelGroup> groups = channel_groups(graph);
      const Weights a = random_weights(graph, 3);
      const PermutedNetwork b =
          permuted(graph, groups, random_permutation(groups, seed), a.theta, a.running_stats);
      ThreadPool pool(2);
      const Alignment found = align_channels(graph, groups, a.theta, b.theta, {.seed = seed}, pool);
      const PermutedNetwork back =
          permuted(graph, groups, found.permutation, b.theta, b.running_stats);
      CHECK(same_bits(back.theta, a.theta));
      CHECK(same_bits(back.running_stats, a.running_stats));
      CHECK(found.settled);
      CHECK(found.distance == 0);
      CHECK(found.distance_before > 0);
      CHECK(found.product > found.product_before);
    }
}

TEST_CASE("alignment: noise does not hide a planted permutation; the same for any threads") {
  const Graph graph = model("resnet14", 'B', 8);
  const std::vector<ChannelGroup> groups = channel_groups(graph);
  const Weights a = random_weights(graph, 3);
  Tensor noisy = normals(a.theta.size(), 9, 0.03);
  for (int64_t i = 0; i < noisy.size(); ++i) noisy.data<float>()[i] += a.theta.data<float>()[i];
  const ChannelPermutation planted = random_permutation(groups, 4);
  const Tensor b = permuted(graph, groups, planted, noisy, a.running_stats).theta;
  std::vector<Alignment> found;
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    found.push_back(align_channels(graph, groups, a.theta, b, {.seed = 2}, pool));
  }
  CHECK(same_bits(permuted(graph, groups, found[0].permutation, b, a.running_stats).theta, noisy));
  CHECK(found[0].permutation == found[1].permutation);
  CHECK(found[0].product == found[1].product);
}

TEST_CASE("alignment: comes closer with every sweep and stops when asked") {
  const Graph graph = model("vgg9", 'B', 4);
  const std::vector<ChannelGroup> groups = channel_groups(graph);
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 8);
  ThreadPool pool(2);
  double last = -1e300;
  for (int sweeps = 1; sweeps <= 3; ++sweeps) {
    const Alignment found =
        align_channels(graph, groups, a.theta, b.theta,
                       {.progress = [sweeps](int done) { return done < sweeps; }}, pool);
    CHECK(found.sweeps <= sweeps);
    CHECK(found.product >= last);
    CHECK(found.distance < found.distance_before);
    last = found.product;
  }
}
