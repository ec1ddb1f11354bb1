// Inference: sums over images against one image at a time in double, and the memory plan against a
// forward pass in which every value has memory of its own.
#include "nn/inference.h"

#include <functional>
#include <limits>

#include "models/registry.h"
#include "tests/nn/nn_check.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Logits in double, each node's output in memory of its own.
Tensor plain_forward(const Graph& graph, const Weights& w, const Tensor& x, Context& context) {
  const auto parameters = parameter_views(graph, w.theta.converted(DType::f64));
  const auto running_stats = running_stats_views(graph, w.running_stats.converted(DType::f64));
  std::vector<Tensor> values{x};
  for (size_t i = 1; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    std::vector<Tensor> inputs;
    for (int input : node.inputs) inputs.push_back(values[at(input)]);
    values.push_back(with_batch(x.dim(0), node.shape));
    node.layer->forward({.y = values[i],
                         .x = inputs,
                         .parameters = parameters[i],
                         .running_stats = running_stats[i]},
                        context);
  }
  return values.back();
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a.data<double>()[i] - b.data<double>()[i]);
    if (std::isnan(error)) return INFINITY;
    worst = std::max(worst, error);
  }
  return worst;
}

/// evaluate()'s sums in f64 and f32 against Network::loss of one image at a time in f64.
void check_evaluate(const std::string& what, const Graph& graph, Loss kind) {
  CAPTURE(what);
  const LabelledImages images = labelled_images(37, graph.image_shape()[0], 4, 1);
  const Weights w = random_weights(graph, 2);
  const Tensor theta = w.theta.converted(DType::f64),
               running_stats = w.running_stats.converted(DType::f64);
  ThreadPool pool(2);
  Network network(graph, 1, pool, {.dtype = DType::f64});
  LossSums expected;
  const Tensor x(Shape(images.images.shape().with_first(1)), DType::f64);
  for (int64_t i = 0; i < images.count(); ++i) {
    normalise_images(x, images, i, i + 1, pool.main_context());
    const BatchResult result = network.loss(x, images.labels.rows(i, i + 1), theta, running_stats,
                                            BatchnormMode::frozen, kind);
    expected += {result.loss, result.loss * result.loss, result.correct, 1};
  }
  const auto check = [&](const LossSums& got, double tolerance) {
    CHECK(std::abs(got.loss / expected.loss - 1) <= tolerance);
    CHECK(std::abs(got.loss_squares / expected.loss_squares - 1) <= tolerance);
    CHECK(got.correct == expected.correct);
    CHECK(got.count == 37);
  };
  check(evaluate(graph, theta, running_stats, images, kind, pool), 1e-12);
  check(evaluate(graph, w.theta, w.running_stats, images, kind, pool),
        2e-6);  // some roundings of float
}

}  // namespace

TEST_CASE("inference: sums equal those of one image at a time, in double") {
  for (Loss kind : {LossKind::cross_entropy, LossKind::mse}) {
    for (const char* name : {"resnet14", "resnet8_noshort"})
      for (char shortcut : {'A', 'B'})
        check_evaluate(
            text(name, " ", shortcut),
            build_model(
                {.name = name, .shortcut = shortcut, .width = 4, .classes = 4, .image_size = 8}),
            kind);
    check_evaluate("dense", dense_graph(), kind);
    check_evaluate("pooling", pooling_graph(), kind);
    check_evaluate("awkward", awkward_graph(), kind);
  }
}

// Equal operations on equal numbers: any difference at all is memory used twice.
TEST_CASE("inference: shared memory changes no bit of any graph's logits") {
  const auto check = [](const std::string& what, const Graph& graph) {
    CAPTURE(what);
    const Weights w = random_weights(graph, 3);
    const int64_t n = 3;
    const Tensor x = with_batch(n, graph.image_shape());
    for (int64_t i = 0; i < x.size(); ++i)
      x.data<double>()[i] = Philox(4, RandomStream::test).normal(static_cast<uint64_t>(i));
    const Tensor images = x.clone();
    ThreadPool pool(1);
    Context context;
    context.force_implementation("gemm", "reference");
    const Tensor expected = plain_forward(graph, w, x, context);
    InferencePlan plan(graph, 5, DType::f64);
    const Tensor theta = w.theta.converted(DType::f64),
                 running_stats = w.running_stats.converted(DType::f64);
    plan.bind(theta, running_stats);
    CHECK(same_bits(plan.run(x, context), expected));
    CHECK(same_bits(plan.run(x, context), expected));  // nothing is left over from the first run
    CHECK(same_bits(x, images));
    Network network(graph, n, pool, {.dtype = DType::f64});
    Tensor labels = Tensor::zeros({n}, DType::i32);
    network.loss(x, labels, theta, running_stats, BatchnormMode::frozen);
    CHECK(largest_difference(network.logits(), expected) <= 1e-12);
  };
  check("dense", dense_graph());
  check("pooling", pooling_graph());
  check("awkward", awkward_graph());
  for (uint64_t seed = 0; seed < 40; ++seed) check(text("random ", seed), random_graph(seed));
}

TEST_CASE("inference: new contents of the weights count once they are bound again") {
  const Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  const Weights a = random_weights(graph, 1), b = random_weights(graph, 2);
  const Tensor x = normals(2 * 8 * 8 * 3, 3).reshaped({2, 8, 8, 3});
  Context context;
  InferencePlan first(graph, 2), second(graph, 2);
  const Tensor theta = a.theta.clone();
  first.bind(theta, a.running_stats);
  const Tensor before = first.run(x, context).clone();
  theta.copy_from(b.theta);
  first.bind(theta, a.running_stats);
  second.bind(b.theta, a.running_stats);
  CHECK(same_bits(first.run(x, context), second.run(x, context)));
  CHECK(!same_bits(first.run(x, context), before));
}

TEST_CASE("inference: plans refuse what does not fit") {
  const Graph graph = dense_graph();
  const Weights w = random_weights(graph, 1);
  Context context;
  InferencePlan plan(graph, 2);
  const Tensor x = Tensor::zeros({3, 8, 8, 3});
  CHECK_THROWS_WITH_AS(plan.run(x.rows(0, 2), context),
                       "an inference plan was run before weights were bound to it", Error);
  CHECK_THROWS_WITH_AS(plan.bind(w.theta.converted(DType::f64), w.running_stats),
                       "weights of f64 bound to a plan of f32", Error);
  CHECK_THROWS_AS(plan.bind(w.running_stats, w.running_stats), Error);
  plan.bind(w.theta, w.running_stats);
  CHECK_THROWS_WITH_AS(plan.run(x, context), "3 images in a plan for 2", Error);
}

TEST_CASE("inference: the same bits for any number of threads, and logits in the images' order") {
  const Graph graph = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  const LabelledImages images = labelled_images(150, 8, 4, 1);  // five items, the last one smaller
  const Weights w = random_weights(graph, 4);
  const Tensor x = batch_of(images, shuffled_order(150, 1, 0)).x;
  LossSums first;
  Tensor logits;
  for (int threads : {1, 2, 3, 5, 8}) {
    ThreadPool pool(threads);
    const Tensor own({150, 4});
    const LossSums sums =
        evaluate(graph, w.theta, w.running_stats, images, LossKind::cross_entropy, pool, own);
    if (threads == 1) first = sums, logits = own;
    CHECK(same_sums(first, sums));
    CHECK(same_bits(logits, own));
    CHECK(
        same_sums(first, evaluate(graph, w.theta, w.running_stats, images, LossKind::cross_entropy,
                                  pool)));  // with or without logits
  }
  // Every row against a run of its image alone; a fast convolution's rounding may depend on the
  // number of images.
  Context context;
  InferencePlan plan(graph, 1);
  plan.bind(w.theta, w.running_stats);
  const std::vector<int32_t> order = shuffled_order(150, 1, 0);
  double worst = 0;
  for (int64_t i = 0; i < 150; ++i) {
    const Tensor row = plan.run(x.rows(i, i + 1), context).converted(DType::f64);
    const int64_t image = order[at(i)];
    const double error =
        largest_difference(row, logits.rows(image, image + 1).converted(DType::f64));
    worst = std::max(worst, error);
  }
  CHECK(worst <= 1e-4);
}

TEST_CASE("inference: the standard error is the textbook's") {
  for (const double offset : {0.0, 20.0}) {
    std::vector<double> losses;
    LossSums sums;
    const Philox random(1, RandomStream::test);
    for (uint64_t i = 0; i < 500; ++i) {
      const double loss = offset + 0.1 * random.uniform(i);
      losses.push_back(loss);
      sums += {loss, loss * loss, 0, 1};
    }
    double mean = 0, squares = 0;
    for (double loss : losses) mean += loss / 500;
    for (double loss : losses) squares += (loss - mean) * (loss - mean);
    // The sums' cancellation costs (mean / deviation)^2 = 5e5 roundings of double at an offset of
    // 20.
    CHECK(sums.standard_error() ==
          doctest::Approx(std::sqrt(squares / 499) / std::sqrt(500.0)).epsilon(1e-9));
    CHECK(sums.mean() == doctest::Approx(mean).epsilon(1e-12));
  }
  CHECK(LossSums{3, 9, 1, 1}.standard_error() != LossSums{3, 9, 1, 1}.standard_error());  // NaN
  CHECK(LossSums{0.3, 0.03, 0, 3}.standard_error() <= 1e-8);  // rounding makes no root of -1e-18
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(std::isnan(LossSums{infinity, infinity, 0, 3}.standard_error()));
  CHECK(LossSums{1, 1, 3, 12}.accuracy() == 25);
}

TEST_CASE("inference: NaN weights give a NaN loss and no correct image") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const LabelledImages images = labelled_images(40, 8, 4, 1);
  for (const Graph& graph :
       {dense_graph(), pooling_graph(),
        build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8})}) {
    ThreadPool pool(2);
    for (Loss kind : {LossKind::cross_entropy, LossKind::mse}) {
      const Weights w = random_weights(graph, 5);
      std::fill_n(w.theta.data<float>(), w.theta.size(), nan);
      const LossSums sums = evaluate(graph, w.theta, w.running_stats, images, kind, pool);
      CHECK(std::isnan(sums.loss));
      CHECK(sums.correct == 0);
      CHECK(sums.count == 40);
    }
    // One NaN in the last layer's bias reaches every image too.
    const Weights w = random_weights(graph, 5);
    w.theta.data<float>()[w.theta.size() - 1] = nan;
    const LossSums sums =
        evaluate(graph, w.theta, w.running_stats, images, LossKind::cross_entropy, pool);
    CHECK(std::isnan(sums.loss));
    CHECK(sums.correct == 0);
  }
}
