// Statistics of BatchNorm that are computed again for other weights.
#include "nn/weight_average.h"

#include "models/registry.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Graph averaged_graph() {
  return build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
}

}  // namespace

TEST_CASE("weight average: one batch's statistics make evaluation see what training sees") {
  const Graph graph = averaged_graph();
  const LabelledImages images = labelled_images(64, 8, 4, 7);
  const Weights weights = random_weights(graph, 8);
  ThreadPool pool(2);
  Network network(graph, 64, pool);
  BatchLoader batches(images, {.batch_size = 64, .augment = false}, pool);
  const Tensor running_stats = recomputed_statistics(network, weights.theta, batches, 0, pool);
  const Batch batch = batch_of(images, shuffled_order(64, 1, 0));
  const double trained =
      network
          .loss(batch.x, batch.labels, weights.theta, weights.running_stats, BatchnormMode::batch)
          .loss;
  const double evaluated =
      evaluate(graph, weights.theta, running_stats, images, LossKind::cross_entropy, pool).mean();
  // The running variance of the 2x2 images' layers is larger by 1 / 255.
  CHECK(evaluated == doctest::Approx(trained).epsilon(0.01));
  const double before =
      evaluate(graph, weights.theta, weights.running_stats, images, LossKind::cross_entropy, pool)
          .mean();
  CHECK(std::abs(before - trained) > 0.1);
}

// BatchNorm's momentum of 0.1 leaves s -> 0.9 s + 0.1 b: from two states of a batch follows its b.
TEST_CASE("weight average: statistics are the mean over the batches, by their images") {
  const Graph graph = averaged_graph();
  const LabelledImages images = labelled_images(50, 8, 4, 7);
  const Weights weights = random_weights(graph, 8);
  const std::vector<int32_t> order = shuffled_order(50, 3, 0);
  ThreadPool pool(2);
  Network network(graph, 20, pool);
  std::vector<double> expected(at(graph.layout().state_count()));
  for (size_t first = 0; first < 50; first += 20) {
    const size_t end = std::min<size_t>(50, first + 20);
    const Batch batch = batch_of(images, {order.begin() + static_cast<int64_t>(first),
                                          order.begin() + static_cast<int64_t>(end)});
    const Tensor moved = weights.running_stats.clone();
    network.loss(batch.x, batch.labels, weights.theta, moved, BatchnormMode::batch);
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] += static_cast<double>(end - first) / 50 *
                     (moved.data<float>()[i] - 0.9 * weights.running_stats.data<float>()[i]) / 0.1;
  }
  const BatchPlan plan{.batch_size = 20, .augment = false, .seed = 3};
  BatchLoader batches(images, plan, pool);
  const Tensor running_stats = recomputed_statistics(network, weights.theta, batches, 0, pool);
  double largest = 1;
  for (double value : expected) largest = std::max(largest, std::abs(value));
  CHECK(worst_difference(running_stats, expected) <= 2e-6 * largest);  // 0.1 in the divisor
  ThreadPool one(1);
  Network alone(graph, 20, one);
  BatchLoader alone_batches(images, plan, one);
  CHECK(
      same_bits(running_stats, recomputed_statistics(alone, weights.theta, alone_batches, 0, one)));
  Graph no_batchnorm({8, 8, 3});
  no_batchnorm.set_output(no_batchnorm.linear(no_batchnorm.conv(no_batchnorm.input(), 6), 4));
  Network none(no_batchnorm, 20, pool);
  CHECK(recomputed_statistics(none, normals(no_batchnorm.layout().parameter_count(), 1), batches, 0,
                              pool)
            .size() == 0);
}

TEST_CASE("weight average: a BatchNorm's momentum does not matter to its recomputed statistics") {
  const auto with_momenta = [](double first, double second) {
    Graph g({8, 8, 3});
    Value x = g.relu(g.batchnorm(g.conv(g.input(), 6), {.momentum = first}));
    x = g.batchnorm(g.conv(x, 4), {.momentum = second, .affine = false});
    g.set_output(g.linear(g.global_average_pool(x), 4));
    return g;
  };
  const LabelledImages images = labelled_images(50, 8, 4, 7);
  ThreadPool pool(2);
  const auto recomputed = [&](const Graph& graph) {
    Network network(graph, 20, pool);
    BatchLoader batches(images, {.batch_size = 20, .augment = false}, pool);
    return recomputed_statistics(network, random_weights(graph, 8).theta, batches, 0, pool);
  };
  const Tensor usual = recomputed(with_momenta(0.1, 0.1));
  const Tensor others = recomputed(with_momenta(0.4, 1));
  for (int64_t i = 0; i < usual.size(); ++i)
    CHECK(others.data<float>()[i] == doctest::Approx(usual.data<float>()[i]).epsilon(1e-5));
}
