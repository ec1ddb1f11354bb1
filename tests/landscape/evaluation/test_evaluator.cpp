// The evaluator: every point of a plane is the loss of weights perturbed by hand, the same to the
// bit whoever computes it; and the invariance that filter normalisation is for.
#include "landscape/evaluation/evaluator.h"

#include "models/registry.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const Loss kLoss = LossKind::cross_entropy;

Graph small_resnet() {
  return build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
}

const std::vector<PlanePosition> kPoints = {{0, 0},    {-1, 0.5}, {0.25, 0},     {0.1, -0.3},
                                            {1.7, -2}, {0, 1},    {-0.01, 0.003}};

/// (base + a * x) + b * y in double. An undefined direction leaves its term out.
Tensor perturbed(const Tensor& base, const Tensor& x, const Tensor& y, const PlanePosition& p) {
  const Tensor w(base.shape(), DType::f64);
  for (int64_t i = 0; i < w.size(); ++i) {
    double value = base.data<float>()[i];
    if (x.defined()) value += p.alpha * static_cast<double>(x.data<float>()[i]);
    if (y.defined()) value += p.beta * static_cast<double>(y.data<float>()[i]);
    w.data<double>()[i] = value;
  }
  return w;
}

/// The sums at a point in double, layer by layer.
LossSums expected_sums(const Graph& graph, const Weights& w, const Directions& directions,
                       const PlanePosition& point, const LabelledImages& images, Loss loss) {
  const Direction y = directions.y.value_or(Direction{});
  Context context;
  context.force_implementation("gemm", "reference");
  const int64_t n = images.count();
  InferencePlan plan(graph, n, DType::f64);
  plan.bind(perturbed(w.theta, directions.x.parameters, y.parameters, point),
            perturbed(w.running_stats, directions.x.running_stats, y.running_stats, point));
  const Tensor x(images.images.shape(), DType::f64), losses({n}, DType::f64);
  const Tensor correct({n}, DType::i32);
  normalise_images(x, images, 0, n, context);
  loss_forward({.losses = losses,
                .correct = correct,
                .logits = plan.run(x, context),
                .labels = images.labels,
                .loss = loss},
               context);
  LossSums sums{.count = n};
  for (int64_t i = 0; i < n; ++i) {
    const double value = losses.data<double>()[i];
    sums.loss += value;
    sums.loss_squares += value * value;
    sums.correct += correct.data<int32_t>()[i];
  }
  return sums;
}

/// ErrorBudget of f32 in a network of ten layers.
void check_close(const LossSums& got, const LossSums& expected) {
  CHECK(std::abs(got.loss / expected.loss - 1) <= 1e-5);
  CHECK(std::abs(got.loss_squares / expected.loss_squares - 1) <= 2e-5);
  CHECK(got.correct == expected.correct);
  CHECK(got.count == expected.count);
}

Directions random_plane(const Graph& graph, const Weights& w, uint64_t seed,
                        DirectionNorm norm = DirectionNorm::filter, Ignore ignore = Ignore::biasbn,
                        DirectionType type = DirectionType::weights) {
  const auto direction = [&](uint32_t number) {
    return random_direction(graph.layout(), w.theta, w.running_stats, seed, number, norm, ignore,
                            type);
  };
  return {direction(0), direction(1)};
}

using Sums = std::vector<PointSums>;

bool same_results(const PointSums& a, const PointSums& b) {
  if (a.size() != b.size()) return false;
  for (size_t set = 0; set < a.size(); ++set) {
    if (a[set].size() != b[set].size()) return false;
    for (size_t loss = 0; loss < a[set].size(); ++loss)
      if (!topograd::test::same_sums(a[set][loss], b[set][loss])) return false;
  }
  return true;
}

bool same_results(const Sums& a, const Sums& b) {
  if (a.size() != b.size()) return false;
  for (size_t p = 0; p < a.size(); ++p)
    if (!same_results(a[p], b[p])) return false;
  return true;
}

/// One plane through a network, over some sets.
EvaluationSpec spec_of(const Graph& graph, const Weights& w, const Directions& directions,
                       const std::vector<LabelledImages>& sets, Loss loss = kLoss) {
  return {.graph = graph,
          .theta = w.theta,
          .running_stats = w.running_stats,
          .planes = {&directions, 1},
          .sets = sets,
          .losses = {loss}};
}

/// Every point and set against the oracle.
void check_points(const Graph& graph, const Weights& w, const Directions& directions,
                  const std::vector<LabelledImages>& sets, Loss loss = kLoss) {
  ThreadPool pool(2);
  Evaluator evaluator(spec_of(graph, w, directions, sets, loss), pool);
  const Sums sums = evaluator.evaluate(kPoints);
  REQUIRE(sums.size() == kPoints.size());
  for (size_t p = 0; p < kPoints.size(); ++p) {
    CAPTURE(kPoints[p].alpha);
    CAPTURE(kPoints[p].beta);
    REQUIRE(sums[p].size() == sets.size());
    for (size_t s = 0; s < sets.size(); ++s)
      check_close(sums[p][s][0], expected_sums(graph, w, directions, kPoints[p], sets[s], loss));
  }
}

}  // namespace

TEST_CASE("evaluator: a point is the loss of the weights perturbed by hand") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 1);
  const std::vector<LabelledImages> one = {labelled_images(80, 8, 4, 1)};  // 32 + 32 + 16
  check_points(graph, w, random_plane(graph, w, 7), one);
  check_points(graph, w, random_plane(graph, w, 8, DirectionNorm::layer, Ignore::none), one,
               LossKind::mse);
}

TEST_CASE("evaluator: directions with states move BatchNorm's statistics too") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 1);
  const std::vector<LabelledImages> one = {labelled_images(40, 8, 4, 1)};
  const Directions moving =
      random_plane(graph, w, 7, DirectionNorm::filter, Ignore::none, DirectionType::states);
  REQUIRE(moving.x.running_stats.size() == graph.layout().state_count());
  check_points(graph, w, moving, one);
  const Directions still = random_plane(graph, w, 7, DirectionNorm::filter, Ignore::none);
  ThreadPool pool(1);
  const std::vector<PlanePosition> there = {{0.3, 0.1}};
  CHECK(!same_results(Evaluator(spec_of(graph, w, moving, one), pool).evaluate(there),
                      Evaluator(spec_of(graph, w, still, one), pool).evaluate(there)));
}

TEST_CASE("evaluator: several sets in one pass, each with its own sums and normalisation") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 2);
  std::vector<LabelledImages> sets = {labelled_images(45, 8, 4, 1), labelled_images(33, 8, 4, 2),
                                      labelled_images(1, 8, 4, 3)};
  sets[1].normalisation = {{0.1, 0.2, 0.3}, {0.5, 0.6, 0.7}};
  const Directions directions = random_plane(graph, w, 7);
  check_points(graph, w, directions, sets);
  ThreadPool pool(3);
  const Evaluator evaluator(spec_of(graph, w, directions, sets), pool);
  CHECK(evaluator.images_per_point() == 79);
}

TEST_CASE("evaluator: several losses of one pass are those of a pass each") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 2);
  const std::vector<LabelledImages> sets = {labelled_images(45, 8, 4, 1),
                                            labelled_images(33, 8, 4, 2)};
  const Directions directions = random_plane(graph, w, 7);
  for (Device device : {Device::cpu, Device::simt}) {
    CAPTURE(name_of(device));
    ThreadPool pool(1, device);
    const auto sums = [&](const std::vector<Loss>& losses) {
      EvaluationSpec spec = spec_of(graph, w, directions, sets);
      spec.losses = losses;
      return Evaluator(spec, pool).evaluate(std::span(kPoints).first(3));
    };
    const Sums cross = sums({LossKind::cross_entropy}), mse = sums({LossKind::mse});
    const Sums both = sums({LossKind::mse, LossKind::cross_entropy});
    for (size_t p = 0; p < 3; ++p)
      for (size_t s = 0; s < sets.size(); ++s) {
        REQUIRE(both[p][s].size() == 2);
        CHECK(topograd::test::same_sums(both[p][s][0], mse[p][s][0]));
        CHECK(topograd::test::same_sums(both[p][s][1], cross[p][s][0]));
      }
    CHECK(!same_results(cross, mse));
  }
}

TEST_CASE("evaluator: each set stops at its own standard error, on every device") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 2);
  std::vector<LabelledImages> sets = {labelled_images(300, 8, 4, 1), labelled_images(300, 8, 4, 2)};
  for (int64_t i = 1; i < 300; ++i) {  // one image again and again: no error at all
    sets[1].images.rows(i, i + 1).copy_from(sets[1].images.rows(0, 1));
    sets[1].labels.data<int32_t>()[i] = sets[1].labels.data<int32_t>()[0];
  }
  const std::vector<LabelledImages> firsts = {sets[0].first(128), sets[1].first(128)};
  const Directions directions = random_plane(graph, w, 7);
  for (Device device : {Device::cpu, Device::simt}) {
    CAPTURE(name_of(device));
    ThreadPool pool(1, device);
    const auto points = std::span(kPoints).first(1);
    const Sums first = Evaluator(spec_of(graph, w, directions, firsts), pool).evaluate(points);
    const Sums all = Evaluator(spec_of(graph, w, directions, sets), pool).evaluate(points);
    const double loud = first[0][0][0].standard_error(), quiet = first[0][1][0].standard_error();
    REQUIRE(quiet < 0.9 * loud);
    EvaluationSpec spec = spec_of(graph, w, directions, sets);
    spec.target_se = (loud + quiet) / 2;
    spec.first_stage = 64;
    const Sums some = Evaluator(spec, pool).evaluate(points);
    CHECK(some[0][0][0].count == 300);
    CHECK(some[0][0][0].loss == doctest::Approx(all[0][0][0].loss).epsilon(1e-12));
    CHECK(topograd::test::same_sums(some[0][1][0], first[0][1][0]));
  }
}

TEST_CASE("evaluator: on a line beta means nothing") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 3);
  const std::vector<LabelledImages> one = {labelled_images(40, 8, 4, 1)};
  const Directions line{random_plane(graph, w, 7).x, {}};
  check_points(graph, w, line, one);
  ThreadPool pool(1);
  Evaluator evaluator(spec_of(graph, w, line, one), pool);
  const Sums sums = evaluator.evaluate(std::vector<PlanePosition>{{0.5, 0}, {0.5, 123}});
  CHECK(topograd::test::same_sums(sums[0][0][0], sums[1][0][0]));
}

TEST_CASE("evaluator: the plane's origin is the network itself") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 4);
  const std::vector<LabelledImages> one = {labelled_images(80, 8, 4, 1)};
  ThreadPool pool(2);
  for (DirectionType type : {DirectionType::weights, DirectionType::states}) {
    const Directions directions =
        random_plane(graph, w, 7, DirectionNorm::filter, Ignore::none, type);
    Evaluator evaluator(spec_of(graph, w, directions, one), pool);
    const Sums sums = evaluator.evaluate(std::vector<PlanePosition>{{0, 0}});
    check_close(sums[0][0][0], evaluate(graph, w.theta, w.running_stats, one[0], kLoss, pool));
  }
}

TEST_CASE("evaluator: the same bits for any number of threads and any grouping of the points") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 5);
  const std::vector<LabelledImages> sets = {labelled_images(80, 8, 4, 1),
                                            labelled_images(33, 8, 4, 2)};
  const Directions directions = random_plane(graph, w, 7);
  Sums first;
  for (int threads : {1, 2, 3, 16}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    Evaluator evaluator(spec_of(graph, w, directions, sets), pool);
    const Sums together = evaluator.evaluate(kPoints);
    if (first.empty()) first = together;
    CHECK(same_results(first, together));
    for (size_t group : {1, 3}) {
      Sums grouped;
      for (size_t begin = 0; begin < kPoints.size(); begin += group) {
        const auto end = std::min(kPoints.size(), begin + group);
        for (auto& sums : evaluator.evaluate(std::span(kPoints).subspan(begin, end - begin)))
          grouped.push_back(sums);
      }
      CHECK(same_results(first, grouped));
    }
    CHECK(evaluator.evaluate({}).empty());
  }
}

TEST_CASE("evaluator: a point beyond all numbers is a value, and spoils no other point") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 6);
  const std::vector<LabelledImages> one = {labelled_images(40, 8, 4, 1)};
  const Directions directions = random_plane(graph, w, 7);
  ThreadPool pool(1);
  Evaluator evaluator(spec_of(graph, w, directions, one), pool);
  const Sums sums = evaluator.evaluate(std::vector<PlanePosition>{{0.5, 0}, {1e37, 0}, {0.5, 0}});
  CHECK(!std::isfinite(sums[1][0][0].loss));
  CHECK(sums[1][0][0].count == 40);
  CHECK(std::isfinite(sums[0][0][0].loss));
  CHECK(topograd::test::same_sums(sums[0][0][0], sums[2][0][0]));
}

TEST_CASE("evaluator: an empty set is refused") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 1);
  LabelledImages none = labelled_images(4, 8, 4, 1);
  none.images = none.images.rows(0, 0);
  none.labels = none.labels.rows(0, 0);
  const std::vector<LabelledImages> sets = {none};
  const Directions directions = random_plane(graph, w, 7);
  ThreadPool pool(1);
  CHECK_THROWS_WITH_AS(Evaluator(spec_of(graph, w, directions, sets), pool),
                       "no images to evaluate the loss on", Error);
}

namespace {

/// Network of the same function with one convolution's filters ten times as large: the BatchNorm
/// behind it divides by a deviation ten times as large. (Its epsilon of 1e-5 beside variances of
/// 0.5 and more changes a standardised value by at most 1e-5 of it.)
Weights rescaled(const Graph& graph, const Weights& w, size_t convolution) {
  const Weights copy{w.theta.clone(), w.running_stats.clone()};
  const auto scale = [](const Tensor& flat, const ParameterEntry& entry, float factor) {
    for (int64_t i = entry.offset; i < entry.offset + entry.size(); ++i)
      flat.data<float>()[i] *= factor;
  };
  const Node& conv = graph.nodes()[convolution];
  const Node& batchnorm = graph.nodes()[convolution + 1];
  REQUIRE(batchnorm.layer->as_batchnorm() != nullptr);
  scale(copy.theta, graph.layout().parameters()[at(conv.parameters[0])], 10);
  scale(copy.running_stats, graph.layout().running_stats()[at(batchnorm.running_stats[0])], 10);
  scale(copy.running_stats, graph.layout().running_stats()[at(batchnorm.running_stats[1])], 100);
  return copy;
}

/// Mean losses at kPoints along the two random directions of a seed.
std::vector<double> surface_of(const Graph& graph, const Weights& w, DirectionNorm norm,
                               const std::vector<LabelledImages>& sets) {
  ThreadPool pool(1);
  const Directions directions = random_plane(graph, w, 11, norm);
  Evaluator evaluator(spec_of(graph, w, directions, sets), pool);
  std::vector<double> losses;
  for (const auto& sums : evaluator.evaluate(kPoints)) losses.push_back(sums[0][0].mean());
  return losses;
}

double largest_relative_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(b[i] / a[i] - 1);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

}  // namespace

TEST_CASE("evaluator: filter normalisation makes surfaces invariant to the scale of filters") {
  const Graph graph = small_resnet();
  const Weights w = random_weights(graph, 8);
  const std::vector<LabelledImages> sets = {labelled_images(40, 8, 4, 1)};
  const std::vector<double> surface = surface_of(graph, w, DirectionNorm::filter, sets);
  const std::vector<double> plain = surface_of(graph, w, DirectionNorm::none, sets);
  int convolutions = 0;
  for (size_t node = 1; node < graph.nodes().size(); ++node) {
    if (graph.nodes()[node].layer->kind() != "conv2d") continue;
    CAPTURE(graph.nodes()[node].name);
    ++convolutions;
    const Weights same_network = rescaled(graph, w, node);
    CHECK(largest_relative_difference(
              surface, surface_of(graph, same_network, DirectionNorm::filter, sets)) <= 1e-3);
    // Without normalisation the same network shows another surface: the test sees the difference.
    CHECK(largest_relative_difference(
              plain, surface_of(graph, same_network, DirectionNorm::none, sets)) > 1e-2);
  }
  CHECK(convolutions == 9);
}
