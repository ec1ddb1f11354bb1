// A surface on the device cuda, its whole host path: numbers, allocations, copies, waits, nodes.
#include "landscape/evaluation/evaluator.h"
#include "models/registry.h"
#include "tests/mock_cuda/mock_cuda.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A network on a plane, a few images, and the evaluation of these on the device cuda.
struct Surface {
  Graph graph;
  Weights w;
  Directions directions;
  LabelledImages images;
  EvaluationSpec spec;
  ThreadPool pool{1, Device::cuda};
  Evaluator evaluator;

  explicit Surface(const std::string& model)
      : graph(build_model({.name = model, .width = 4, .classes = 4, .image_size = 8})),
        w(random_weights(graph, 1)),
        directions{direction(0), direction(1)},
        images(labelled_images(4, 8, 4, 2)),
        spec{.graph = graph,
             .theta = w.theta,
             .running_stats = w.running_stats,
             .planes = {&directions, 1},
             .sets = {&images, 1}},
        evaluator(spec, pool) {}

  Direction direction(uint32_t number) const {
    return random_direction(graph.layout(), w.theta, w.running_stats, 3, number,
                            DirectionNorm::filter, Ignore::biasbn, DirectionType::weights);
  }
};

std::vector<PlanePosition> positions(int64_t count) {
  std::vector<PlanePosition> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back({0.001 * static_cast<double>(i), -0.002 * static_cast<double>(i % 17)});
  return all;
}

}  // namespace

TEST_CASE("cuda without a GPU: 1,000 points allocate nothing after the first passes") {
  Surface surface("resnet8");
  ThreadPool cpu(1);
  Evaluator expected(surface.spec, cpu);
  const std::vector<PlanePosition> first = positions(24);
  const auto got = surface.evaluator.evaluate(first), wanted = expected.evaluate(first);
  for (size_t i = 0; i < first.size(); ++i)
    CHECK(std::abs(got[i][0][0].loss / wanted[i][0][0].loss - 1) <= 1e-5);

  const mock_cuda::Counts before = mock_cuda::counts();
  const auto all = surface.evaluator.evaluate(positions(1000));
  const mock_cuda::Counts used = mock_cuda::counts() - before;
  for (const PointSums& sums : all) CHECK(std::isfinite(sums[0][0].loss));
  CHECK(all[23][0][0].loss == got[23][0][0].loss);
  CHECK(used.graph_launches == 125);  // passes of 8 points
  // A pass: its coefficients in, its sums out. A call: all coefficients in, all sums out.
  CHECK(used.launches <= 2 * 125);
  CHECK(used.allocations <= 2);
  CHECK(used.blocking_copies <= 2);
}

TEST_CASE("cuda without a GPU: nodes of a pass over a plane") {
  // docs/results/launches.md has these numbers. They may fall.
  for (const auto& [model, nodes] : {std::pair{"resnet8", 15}, std::pair{"resnet56", 63}}) {
    Surface surface(model);
    surface.evaluator.evaluate(positions(24));
    const std::string name = model;
    CAPTURE(name);
    CHECK(mock_cuda::nodes_of_last_graph() <= nodes);
  }
}

TEST_CASE("cuda without a GPU: a library that is called for every point takes one point a pass") {
  Surface together("resnet8");
  const auto expected = together.evaluator.evaluate(positions(24));
  mock_cuda::pretend_cudnn(true);
  Surface in_turn("resnet8");
  const mock_cuda::Counts before = mock_cuda::counts();
  const auto got = in_turn.evaluator.evaluate(positions(24));
  CHECK((mock_cuda::counts() - before).graph_launches == 23);  // the first pass is not recorded
  CHECK(mock_cuda::nodes_of_last_graph() <= 15);               // and not 8 for each convolution
  mock_cuda::pretend_cudnn(false);
  for (size_t i = 0; i < got.size(); ++i)
    CHECK(std::abs(got[i][0][0].loss / expected[i][0][0].loss - 1) <= 1e-6);
}
