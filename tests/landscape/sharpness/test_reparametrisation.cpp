// Rescaled networks compute what they did, in double precision; and which measures that moves.
#include "landscape/sharpness/reparametrisation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "landscape/sharpness/measures.h"
#include "landscape/sharpness/network_loss.h"
#include "models/registry.h"
#include "nn/inference.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// The largest difference of logits over a few images, as a share of the largest logit, in double.
double distance(const Graph& graph, const Weights& a, const RescaledNetwork& b) {
  const Tensor x = with_batch(3, graph.image_shape());
  const Philox random(4, RandomStream::test);
  for (int64_t i = 0; i < x.size(); ++i)
    x.data<double>()[i] = random.normal(static_cast<uint64_t>(i));
  Context context;
  const auto logits = [&](const Tensor& theta, const Tensor& running_stats) {
    InferencePlan plan(graph, 3, DType::f64);
    const Tensor wide_theta = theta.converted(DType::f64),
                 wide_states = running_stats.converted(DType::f64);
    plan.bind(wide_theta, wide_states);
    return plan.run(x, context).clone();
  };
  const Tensor before = logits(a.theta, a.running_stats), after = logits(b.theta, b.running_stats);
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < before.size(); ++i) {
    const double was = before.data<double>()[i], is = after.data<double>()[i];
    largest = std::max(largest, std::abs(was));
    if (!(std::abs(is - was) <= difference)) difference = std::abs(is - was);
  }
  REQUIRE(largest > 0);
  return difference / largest;
}

double length(const Tensor& v, int64_t begin, int64_t size) {
  double squares = 0;
  for (int64_t i = begin; i < begin + size; ++i) squares += std::pow(v.data<float>()[i], 2);
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("reparametrisation: networks of every family compute the same, with larger weights") {
  struct Case {
    const char* name;
    int64_t width;
    int before_batchnorm, pairs;
  };
  // ResNet-8: a stem and 3 blocks of 2, two of them with a projection. noshort: without these; the
  // last BatchNorm passes the factor on to fc, as VGG's and the DenseNet's do. VGG-9: 7
  // convolutions and fc.0. MLP: of three layers, one pair. LeNet: of five, two pairs.
  for (const Case& c : {Case{"resnet8", 4, 9, 0}, Case{"resnet8_noshort", 4, 7, 1},
                        Case{"vgg9", 4, 8, 1}, Case{"mlp", 16, 0, 1}, Case{"lenet", 0, 0, 2}}) {
    CAPTURE(c.name);
    const Graph graph = build_model({.name = c.name, .width = c.width, .image_size = 16});
    const Weights w = random_weights(graph, 3);
    const RescaledNetwork other = rescaled(graph, w.theta, w.running_stats, 10);
    CHECK(other.before_batchnorm == c.before_batchnorm);
    CHECK(other.pairs == c.pairs);
    // Weights of f32: every rescaled one was rounded once more.
    CHECK(distance(graph, w, other) < 1e-5);
    const ParameterEntry& first = graph.layout().parameters()[0];
    CHECK(length(other.theta, first.offset, first.size()) ==
          doctest::Approx(10 * length(w.theta, first.offset, first.size())).epsilon(1e-6));
  }
}

TEST_CASE("reparametrisation: with every layer between them, weights are rescaled or left alone") {
  for (const auto& entry : layer_graphs()) {  // clang 14's lambdas take no structured binding
    const Graph& graph = entry.second;
    CAPTURE(entry.first);
    const Weights w = random_weights(graph, 5);
    CHECK(distance(graph, w, rescaled(graph, w.theta, w.running_stats, 10)) < 1e-5);
  }
}

TEST_CASE("reparametrisation: graphs that branch are left alone where they must be") {
  for (const Graph& graph : {dense_graph(), pooling_graph(), awkward_graph()}) {
    const Weights w = random_weights(graph, 5);
    for (double factor : {10.0, 0.5})
      CHECK(distance(graph, w, rescaled(graph, w.theta, w.running_stats, factor)) < 1e-5);
  }
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const Graph graph = random_graph(seed);
    const Weights w = random_weights(graph, seed);
    const auto other = [&]() -> std::optional<RescaledNetwork> {
      try {
        return rescaled(graph, w.theta, w.running_stats, 10);
      } catch (const Error&) {
        return std::nullopt;  // nothing there that could be rescaled
      }
    }();
    if (other) CHECK(distance(graph, w, *other) < 1e-5);
  }
}

TEST_CASE("reparametrisation: epsilon is taken into account where variances are small") {
  Graph graph({6, 6, 3});
  graph.set_output(graph.linear(graph.relu(graph.batchnorm(graph.conv(graph.input(), 4))), 3));
  const Weights w = random_weights(graph, 3);
  for (const ParameterEntry& entry : graph.layout().running_stats())
    if (entry.kind == ParameterKind::bn_variance)
      std::fill_n(w.running_stats.data<float>() + entry.offset, entry.size(), 1e-5F);
  CHECK(distance(graph, w, rescaled(graph, w.theta, w.running_stats, 10)) < 1e-5);
  CHECK_THROWS_AS(rescaled(graph, w.theta, w.running_stats, 0.1), Error);  // a variance below 0
}

TEST_CASE("reparametrisation: tanh between two layers keeps them, a BatchNorm does not mind") {
  ModelSpec spec{.name = "mlp", .width = 8, .image_size = 16, .activation = Activation::tanh};
  const Graph mlp = build_model(spec);
  const Weights w = random_weights(mlp, 3);
  CHECK_THROWS_AS(rescaled(mlp, w.theta, w.running_stats, 10), Error);
  spec.name = "resnet8";
  const Graph resnet = build_model(spec);
  const Weights v = random_weights(resnet, 3);
  const RescaledNetwork other = rescaled(resnet, v.theta, v.running_stats, 10);
  CHECK(other.pairs == 0);
  CHECK(distance(resnet, v, other) < 1e-5);
}

TEST_CASE("reparametrisation: wrong factors") {
  const Graph graph = build_model({.name = "mlp", .width = 8, .image_size = 16});
  const Weights w = random_weights(graph, 3);
  for (double factor : {0.0, -2.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(rescaled(graph, w.theta, w.running_stats, factor), Error);
}

TEST_CASE("reparametrisation: invariant measures stay, the others move") {
  const Graph graph = build_model({.name = "resnet8_noshort", .width = 4, .image_size = 12});
  const Weights w = random_weights(graph, 3);
  const RescaledNetwork other = rescaled(graph, w.theta, w.running_stats, 16);
  const LabelledImages images = labelled_images(40, 12, 10, 1);
  ThreadPool pool(2);
  NetworkLoss before(
      {.graph = graph, .theta = w.theta, .running_stats = w.running_stats, .images = images}, pool);
  NetworkLoss after({.graph = graph,
                     .theta = other.theta,
                     .running_stats = other.running_stats,
                     .images = images},
                    pool);
  using MeasureOf = std::function<double(NetworkLoss&)>;
  const auto ratio = [&](const MeasureOf& measure) { return measure(after) / measure(before); };
  const auto filters = [&](NetworkLoss& loss) {
    return filter_normalised_directions(graph.layout(), loss.theta(), 3, 1);
  };
  const auto noise = [&](NetworkLoss& loss, bool of_magnitude) {
    return normal_directions(graph.layout(), loss.theta(), of_magnitude, 3, 1);
  };
  const MeasureOf invariant[] = {
      [](NetworkLoss& l) { return l.centre().loss; },
      [](NetworkLoss& l) { return sam_sharpness(l, {.rho = 0.5, .adaptive = true}); },
      [&](NetworkLoss& l) { return expected_sharpness(l, filters(l), 0.3).value; },
      [&](NetworkLoss& l) { return mean_curvature(l, filters(l)).value; },
      [&](NetworkLoss& l) { return basin_width(l, filters(l), 0.2, 1e-4).value; },
      [&](NetworkLoss& l) {
        return pac_bayes_sigma(l, noise(l, true), IncreaseOf::loss, 0.2, 1e-4).value;
      }};
  for (size_t i = 0; i < std::size(invariant); ++i) {
    CAPTURE(i);
    CHECK(ratio(invariant[i]) == doctest::Approx(1).epsilon(2e-3));
  }
  const MeasureOf moved[] = {
      [](NetworkLoss& l) { return sam_sharpness(l, {.rho = 0.05}); },
      [](NetworkLoss& l) { return sam_sharpness(l, {.rho = 0.5, .adaptive = true, .eta = 0.5}); },
      [](NetworkLoss& l) { return keskar_sharpness(l, 1e-3, 3); },
      [](NetworkLoss& l) { return critical_sharpness(l, 1e-3); },
      [&](NetworkLoss& l) {
        return pac_bayes_sigma(l, noise(l, false), IncreaseOf::loss, 0.2, 1e-3).value;
      }};
  for (size_t i = 0; i < std::size(moved); ++i) {
    CAPTURE(i);
    CHECK(std::abs(ratio(moved[i]) - 1) > 0.05);
  }
}
