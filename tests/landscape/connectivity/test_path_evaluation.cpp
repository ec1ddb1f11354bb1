// Losses along a path against those of its networks, stopped and continued; and the check that a
// permuted network computes the same function.
#include "landscape/connectivity/path_evaluation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "landscape/connectivity/aligned_network.h"
#include "nn/inference.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Graph small_graph() {
  Graph g({8, 8, 3});
  const Value x = g.activation(g.batchnorm(g.conv(g.input(), 4)), Activation::relu);
  g.set_output(g.linear(g.global_average_pool(x), 4));
  return g;
}

ModelState state_of(const Weights& weights) {
  return {weights.theta, weights.running_stats};
}

/// Stops once so many points are done.
struct StopAfter : Observer {
  int64_t points = 0, done = 0;
  explicit StopAfter(int64_t count) : points(count) {}
  void advance(int64_t now, const std::function<std::string()>&) override { done = now; }
  bool stop_requested() override { return done >= points; }
};

}  // namespace

TEST_CASE("path evaluation: a line's ends are its networks, and it continues to the same bits") {
  const Graph graph = small_graph();
  const Weights a = random_weights(graph, 3), b = random_weights(graph, 4);
  const ModelState from = state_of(a);
  ImageSets images;
  images.names = {"train", "test"};
  images.sets = {labelled_images(40, 8, 4, 1), labelled_images(30, 8, 4, 2)};
  const PathEvaluationSpec spec{
      .graph = graph, .from = from, .images = images, .statistics_batch = 20};
  const std::vector<double> t = {0, 0.25, 0.5, 0.75, 1};
  ThreadPool pool(1);
  for (const char* statistics : {"states", "recompute"}) {
    CAPTURE(statistics);
    const NetworkPath line = line_between(from, b.theta, b.running_stats, statistics);
    PathValues whole(t.size(), images.names);
    int changes = 0;
    Observer silent;
    CHECK(evaluate_path(whole, t, line, spec, "line", pool, silent, [&] { ++changes; }));
    CHECK(whole.complete());
    CHECK(changes == 5);
    PathValues parts(t.size(), images.names);
    StopAfter two(2);
    CHECK_FALSE(evaluate_path(parts, t, line, spec, "line", pool, two, [] {}));
    CHECK_FALSE(parts.complete());
    CHECK(std::count(parts.done.begin(), parts.done.end(), 1) >= 2);
    CHECK(evaluate_path(parts, t, line, spec, "line", pool, silent, [] {}));
    CHECK(parts.values == whole.values);
    if (line.batchnorm != PointBatchnorm::given) continue;
    for (size_t set = 0; set < 2; ++set) {
      const std::vector<double>& losses = whole.values.at(images.names[set] + "_loss");
      const auto loss_of = [&](const Weights& w) {
        return evaluate(graph, w.theta, w.running_stats, images.sets[set], LossKind::cross_entropy,
                        pool)
            .mean();
      };
      CHECK(losses.front() == doctest::Approx(loss_of(a)).epsilon(1e-5));
      CHECK(losses.back() == doctest::Approx(loss_of(b)).epsilon(1e-4));
    }
  }
}

TEST_CASE("aligned network: permuted channels leave the logits, other weights do not") {
  const Graph graph = small_graph();
  const Weights w = random_weights(graph, 3);
  const LabelledImages images = labelled_images(10, 8, 4, 1);
  const std::vector<ChannelGroup> groups = channel_groups(graph);
  ChannelPermutation permutation = identity_of(groups);
  std::reverse(permutation[0].begin(), permutation[0].end());
  PermutedNetwork other = permuted(graph, groups, permutation, w.theta, w.running_stats);
  const auto difference = [&] { return difference_of_logits(graph, state_of(w), other, images); };
  CHECK(difference() < 1e-12);
  const ParameterEntry& bias = graph.layout().parameters().back();
  REQUIRE(bias.size() == 4);
  other.theta.data<float>()[bias.offset] += 0.5f;
  CHECK(difference() > 0.01);
  // One logit of each image is no number, and the last ones are the same.
  other.theta.data<float>()[bias.offset] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(difference()));
}
