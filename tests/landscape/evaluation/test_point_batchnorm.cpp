// BatchNorm on statistics of each point's own, against a Network run by hand.
#include <doctest/doctest.h>

#include "landscape/evaluation/evaluator.h"
#include "models/registry.h"
#include "nn/weight_average.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A small network on a plane, and sets of 70 and 45 images: batches of 20 leave 10 and 5.
struct Case {
  Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  Weights w = random_weights(graph, 1);
  Directions plane{direction(0), direction(1)};
  std::vector<LabelledImages> sets = {labelled_images(70, 8, 4, 1), labelled_images(45, 8, 4, 2)};

  Direction direction(uint32_t number) const {
    return random_direction(graph.layout(), w.theta, w.running_stats, 7, number);
  }
  EvaluationSpec spec(PointBatchnorm batchnorm) const {
    return {.graph = graph,
            .theta = w.theta,
            .running_stats = w.running_stats,
            .planes = {&plane, 1},
            .sets = sets,
            .losses = {LossKind::cross_entropy, LossKind::mse},
            .batchnorm = batchnorm,
            .statistics_batch = 20};
  }
  Tensor theta_at(const PlanePosition& p) const {
    const Tensor theta(w.theta.shape());
    for (int64_t i = 0; i < theta.size(); ++i)
      theta.data<float>()[i] =
          static_cast<float>((w.theta.data<float>()[i] +
                              p.alpha * static_cast<double>(plane.x.parameters.data<float>()[i])) +
                             p.beta * static_cast<double>(plane.y->parameters.data<float>()[i]));
    return theta;
  }
};

const std::vector<PlanePosition> kPositions = {{0, 0}, {0.5, -0.25}, {-1, 1}};

std::vector<PointSums> evaluated(const Case& c, PointBatchnorm batchnorm, int threads,
                                 Device device = Device::cpu) {
  ThreadPool pool(threads, device);
  return Evaluator(c.spec(batchnorm), pool).evaluate(kPositions);
}

Batch images_of(const LabelledImages& set, int64_t begin, int64_t end) {
  std::vector<int32_t> indices;
  for (int64_t i = begin; i < end; ++i) indices.push_back(static_cast<int32_t>(i));
  return batch_of(set, indices);
}

}  // namespace

TEST_CASE("point batchnorm: batch is the loss of consecutive batches under their own statistics") {
  const Case c;
  const auto sums = evaluated(c, PointBatchnorm::batch, 2);
  ThreadPool pool(2);
  Network network(c.graph, 20, pool);
  for (size_t p = 0; p < kPositions.size(); ++p)
    for (size_t set = 0; set < c.sets.size(); ++set)
      for (Loss kind : {LossKind::cross_entropy, LossKind::mse}) {
        double loss = 0;
        int64_t correct = 0;
        for (int64_t begin = 0; begin < c.sets[set].count(); begin += 20) {
          const int64_t end = std::min<int64_t>(c.sets[set].count(), begin + 20);
          const Batch batch = images_of(c.sets[set], begin, end);
          const Tensor running_stats = c.w.running_stats.clone();
          const BatchResult result = network.loss(batch.x, batch.labels, c.theta_at(kPositions[p]),
                                                  running_stats, BatchnormMode::batch, kind);
          loss += result.loss * static_cast<double>(end - begin);
          correct += result.correct;
        }
        const LossSums& found = sums[p][set][kind.kind == LossKind::mse];
        CHECK(found.loss == doctest::Approx(loss).epsilon(1e-6));
        CHECK(found.correct == correct);
        CHECK(found.count == c.sets[set].count());
      }
}

TEST_CASE("point batchnorm: recomputed statistics are the first set's at the point") {
  const Case c;
  const auto sums = evaluated(c, PointBatchnorm::recomputed, 2);
  ThreadPool pool(1);
  Network network(c.graph, 20, pool);
  BatchLoader batches(c.sets[0], {.batch_size = 20, .augment = false}, pool);
  for (size_t p = 0; p < kPositions.size(); ++p) {
    const Tensor theta = c.theta_at(kPositions[p]);
    const Tensor running_stats = recomputed_statistics(network, theta, batches, 0, pool);
    for (size_t set = 0; set < c.sets.size(); ++set) {
      const LossSums expected =
          evaluate(c.graph, theta, running_stats, c.sets[set], LossKind::cross_entropy, pool);
      CHECK(sums[p][set][0].loss == doctest::Approx(expected.loss).epsilon(1e-5));
      CHECK(sums[p][set][0].correct == expected.correct);
    }
  }
}

TEST_CASE("point batchnorm: the same bits for any number of threads, and near them on a device") {
  const Case c;
  for (PointBatchnorm batchnorm : {PointBatchnorm::batch, PointBatchnorm::recomputed}) {
    const auto one = evaluated(c, batchnorm, 1);
    const auto device = evaluated(c, batchnorm, 1, Device::simt);
    for (int threads : {2, 5}) {
      const auto other = evaluated(c, batchnorm, threads);
      for (size_t p = 0; p < one.size(); ++p)
        for (size_t set = 0; set < 2; ++set)
          for (size_t loss = 0; loss < 2; ++loss) {
            CHECK(same_sums(one[p][set][loss], other[p][set][loss]));
            CHECK(device[p][set][loss].loss ==
                  doctest::Approx(one[p][set][loss].loss).epsilon(1e-4));
          }
    }
    // The modes differ: on random weights the given statistics are far from the images'.
    const auto given = evaluated(c, PointBatchnorm::given, 1);
    CHECK(std::abs(given[1][0][0].loss - one[1][0][0].loss) > 0.01 * one[1][0][0].loss);
  }
}

TEST_CASE("point batchnorm: a batch of one image is refused") {
  const Case c;
  for (auto [batchnorm, batch] :
       {std::pair{PointBatchnorm::batch, 44}, {PointBatchnorm::recomputed, 69}}) {
    EvaluationSpec spec = c.spec(batchnorm);
    spec.statistics_batch = batch;
    ThreadPool pool(1);
    CHECK_THROWS_WITH_AS(Evaluator(spec, pool), doctest::Contains("batch of one image"), Error);
  }
}
