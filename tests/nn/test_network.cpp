// Gradients of every layer and of whole networks. Two oracles, used one on the other: the network
// in double precision (reference operations) against central differences of its own loss, then the
// network in float (fast operations) against the network in double.
#include "nn/network.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "kernels/core/philox.h"
#include "models/registry.h"
#include "nn/inference.h"
#include "nn/trainer.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using topograd::test::around;
using topograd::test::layer_graphs;
using topograd::test::rearranging_graphs;
using topograd::test::shared_graph;

namespace {

struct RandomProblem {
  Tensor x, labels, theta, running_stats;  // f64
};

/// Random images, labels, weights (all far from special values) and running statistics.
RandomProblem random_problem(const Graph& g, int64_t images, uint64_t seed) {
  const Philox random(seed, RandomStream::test);
  uint64_t next = 0;
  const auto filled = [&](const Shape& shape, auto value) {
    Tensor t(shape, DType::f64);
    // Through float, so that the float network sees the very same numbers.
    for (int64_t i = 0; i < t.size(); ++i) t.data<double>()[i] = static_cast<float>(value());
    return t;
  };
  const auto normal = [&] { return random.normal(next++); };
  RandomProblem p;
  const Shape& image = g.image_shape();
  p.x = filled({images, image[0], image[1], image[2]}, normal);
  p.labels = Tensor({images}, DType::i32);
  for (int64_t i = 0; i < images; ++i)
    p.labels.data<int32_t>()[i] =
        static_cast<int32_t>(random.below(next++, static_cast<uint32_t>(g.classes())));
  p.theta = filled({g.layout().parameter_count()}, [&] { return 0.5 * normal(); });
  for (const ParameterEntry& e : g.layout().parameters()) {
    // Weights at the scale of an initialised network, BatchNorm's scales around 1.
    const double scale = e.is_weight() ? std::sqrt(2.0 / static_cast<double>(e.filter_size())) : 0;
    double* w = p.theta.data<double>() + e.offset;
    for (int64_t i = 0; i < e.size(); ++i) {
      if (e.is_weight()) w[i] = static_cast<float>(scale * normal());
      if (e.kind == ParameterKind::norm_scale) w[i] = static_cast<float>(1 + 0.3 * w[i]);
    }
  }
  p.running_stats =
      filled({g.layout().state_count()}, [&] { return 0.5 + random.uniform(next++); });
  return p;
}

/// Largest |a - b| over the largest |a|.
double difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.converted(DType::f64), y = b.converted(DType::f64);
  double largest = 0, worst = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(d < 1e300)) return HUGE_VAL;
    worst = std::max(worst, d);
    largest = std::max(largest, std::abs(x.data<double>()[i]));
  }
  return worst / std::max(largest, 1e-30);
}

/// d(loss)/d(theta) by central differences in double, for up to `samples` elements of every
/// parameter: the largest error as a share of the largest gradient.
double finite_difference_error(const Graph& g, const RandomProblem& p, BatchnormMode mode,
                               Loss kind, const Tensor& gradient, int64_t samples) {
  ThreadPool pool(1);
  Network network(g, p.x.dim(0), pool, {.dtype = DType::f64, .images_per_chunk = 3});
  std::vector<int64_t> elements;
  for (const ParameterEntry& entry : g.layout().parameters()) {
    // Odd: it shares no factor with most extents, and so meets all places of a kernel.
    const int64_t stride = std::max<int64_t>(1, entry.size() / samples) | 1;
    for (int64_t i = 0; i < entry.size(); i += stride) elements.push_back(entry.offset + i);
  }
  double largest = 0, worst = 0;
  for (int64_t i : elements) {
    const Tensor theta = p.theta.clone();
    const double h = 1e-6;
    const auto loss_at = [&](double value) {
      theta.data<double>()[i] = value;
      return network.loss(p.x, p.labels, theta, p.running_stats, mode, kind, true).loss;
    };
    const double centre = p.theta.data<double>()[i];
    const double slope = (loss_at(centre + h) - loss_at(centre - h)) / (2 * h);
    const double got = gradient.data<double>()[i];
    worst = std::max(worst, std::abs(slope - got));
    if (!(std::abs(slope - got) < 1e300)) return HUGE_VAL;
    largest = std::max(largest, std::abs(slope));
  }
  return worst / std::max(largest, 1e-30);
}

/// Checks one graph in one mode. The central difference's error is h^2 * f'''/6 + 1e-16/h = 1e-10
/// plus the rare kink of a ReLU within h of zero, which these seeds avoid.
void check_gradients(const std::string& what, const Graph& g, BatchnormMode mode,
                     Loss kind = LossKind::cross_entropy, int64_t samples = 30,
                     double float_tolerance = 2e-5) {
  CAPTURE(what);
  const RandomProblem p = random_problem(g, 7, 11);
  ThreadPool pool(2);
  Network exact(g, 7, pool, {.dtype = DType::f64, .images_per_chunk = 3});
  const Tensor gradient({g.layout().parameter_count()}, DType::f64);
  exact.loss_and_gradient(gradient, p.x, p.labels, p.theta, p.running_stats, mode, kind, true);
  CHECK(finite_difference_error(g, p, mode, kind, gradient, samples) <= 1e-6);

  Network fast(g, 9, pool, {.dtype = DType::f32, .images_per_chunk = 2});
  const Tensor fast_gradient({g.layout().parameter_count()});
  fast.loss_and_gradient(fast_gradient, p.x.converted(DType::f32), p.labels,
                         p.theta.converted(DType::f32), p.running_stats.converted(DType::f32), mode,
                         kind, true);
  CHECK(difference(gradient, fast_gradient) <= float_tolerance);
}

}  // namespace

TEST_CASE("network: gradients of every layer equal central differences") {
  const auto frozen = BatchnormMode::frozen;
  for (const auto& [name, graph] : layer_graphs()) {
    check_gradients(name, graph, frozen);
    if (graph.layout().state_count() > 0) check_gradients(name, graph, BatchnormMode::batch);
  }
  for (const auto& [name, graph] : rearranging_graphs()) check_gradients(name, graph, frozen);
  check_gradients("linear", around([](Graph&, Value x) { return x; }), frozen);
  check_gradients("conv with bias, stride and even kernel", around([](Graph& g, Value x) {
                    return g.conv(x, 3, {.kernel = 2, .stride = 2, .padding = 0, .bias = true});
                  }),
                  frozen);
  Graph averaged({6, 6, 3});
  averaged.set_output(
      averaged.linear(averaged.global_average_pool(averaged.conv(averaged.input(), 5)), 4));
  check_gradients("global average pool", averaged, frozen);
  check_gradients("add of a value and itself",
                  around([](Graph& g, Value x) { return g.add(x, x); }), frozen);
  check_gradients("add of two branches", around([](Graph& g, Value x) {
                    const Value a = g.relu(g.conv(x, 5));
                    return g.relu(g.add(g.conv(a, 5), x));
                  }),
                  frozen);
  check_gradients("concat", around([](Graph& g, Value x) {
                    return g.concat(g.conv(x, 2), g.concat(x, g.relu(x)));
                  }),
                  frozen);
  for (const auto mode : {frozen, BatchnormMode::batch})
    check_gradients("shared parameters", shared_graph(), mode);
  check_gradients("mean squared error on softmax",
                  around([](Graph& g, Value x) { return g.relu(x); }), frozen, LossKind::mse);
}

// The cross-entropy is linear in its target: with smoothing s it is 1 - s times that of the label,
// plus s / C times those of all C classes. So is its gradient.
TEST_CASE("network: label smoothing mixes the losses of all labels, and their gradients") {
  const double s = 0.3;
  const Graph g = around([](Graph& graph, Value x) { return graph.relu(graph.batchnorm(x)); });
  const RandomProblem p = random_problem(g, 7, 11);
  ThreadPool pool(1);
  const int64_t n = g.layout().parameter_count(), C = g.classes();
  const auto result = [&](double smoothing, const Tensor& labels, const Tensor& gradient) {
    Network network(g, 7, pool, {.dtype = DType::f64});
    return network
        .loss_and_gradient(gradient, p.x, labels, p.theta, p.running_stats, BatchnormMode::batch,
                           {LossKind::cross_entropy, smoothing}, true)
        .loss;
  };
  const Tensor smoothed({n}, DType::f64), mixed = Tensor::zeros({n}, DType::f64);
  double loss = 0;
  for (int64_t label = -1; label < C; ++label) {  // -1: the images' own
    Tensor labels = p.labels;
    if (label >= 0) {
      labels = p.labels.clone();
      std::fill_n(labels.data<int32_t>(), labels.size(), static_cast<int32_t>(label));
    }
    const double weight = label < 0 ? 1 - s : s / static_cast<double>(C);
    const Tensor gradient({n}, DType::f64);
    loss += weight * result(0, labels, gradient);
    for (int64_t i = 0; i < n; ++i) mixed.data<double>()[i] += weight * gradient.data<double>()[i];
  }
  CHECK(result(s, p.labels, smoothed) == doctest::Approx(loss).epsilon(1e-12));
  CHECK(difference(mixed, smoothed) <= 1e-12);
}

// With the same noise the loss is one function of theta. The mask is drawn again by the backward
// pass, by values that are computed a second time, and by images in other chunks.
TEST_CASE("network: under dropout, gradients are those of the network with its zeros") {
  Graph g({6, 6, 3});
  Value x = g.dropout(g.conv(g.input(), 5), {.probability = 0.3});
  x = g.activation(g.batchnorm(x), Activation::tanh);
  const Value y = g.dropout(g.conv(x, 5), {.probability = 0.4, .unit = DropoutUnit::channel});
  x = g.add(x, g.dropout(y, {.probability = 0.5, .unit = DropoutUnit::image}));
  g.set_output(g.linear(g.dropout(x, {.probability = 0.1}), 4));
  const RandomProblem p = random_problem(g, 7, 11);
  ThreadPool pool(2);
  const auto loss_at = [&](const Tensor& theta, const Tensor& gradient,
                           const std::optional<StepNoise>& noise, int64_t images_per_chunk) {
    Network network(g, 7, pool, {.dtype = DType::f64, .images_per_chunk = images_per_chunk});
    return network
        .loss_and_gradient(gradient, p.x, p.labels, theta, p.running_stats, BatchnormMode::batch,
                           LossKind::cross_entropy, true, noise)
        .loss;
  };
  const int64_t n = p.theta.size();
  const Tensor gradient({n}, DType::f64), other({n}, DType::f64);
  const StepNoise noise{.seed = 3, .step = 8};
  const double loss = loss_at(p.theta, gradient, noise, 3);
  constexpr double h = 1e-6;
  double largest = 0, worst = 0;
  for (int64_t i = 0; i < n; i += 7) {
    const auto moved = [&](double by) {
      const Tensor theta = p.theta.clone();
      theta.data<double>()[i] += by;
      return loss_at(theta, other, noise, 3);
    };
    const double slope = (moved(h) - moved(-h)) / (2 * h);
    worst = std::max(worst, std::abs(slope - gradient.data<double>()[i]));
    largest = std::max(largest, std::abs(slope));
  }
  CHECK(worst <= 1e-7 * largest);
  CHECK(loss_at(p.theta, other, noise, 2) == doctest::Approx(loss).epsilon(1e-13));
  CHECK(difference(gradient, other) <= 1e-12);
  CHECK(std::abs(loss_at(p.theta, other, StepNoise{.seed = 3, .step = 9}, 3) - loss) > 1e-6);
  CHECK(std::abs(loss_at(p.theta, other, StepNoise{.seed = 4, .step = 8}, 3) - loss) > 1e-6);
  // Without noise, in either mode, there is no dropout: the graph without its layers.
  Graph plain({6, 6, 3});
  x = plain.activation(plain.batchnorm(plain.conv(plain.input(), 5)), Activation::tanh);
  plain.set_output(plain.linear(plain.add(x, plain.conv(x, 5)), 4));
  for (BatchnormMode mode : {BatchnormMode::batch, BatchnormMode::frozen}) {
    const auto without = [&](const Graph& graph) {
      Network network(graph, 7, pool, {.dtype = DType::f64});
      return network
          .loss(p.x, p.labels, p.theta, p.running_stats, mode, LossKind::cross_entropy, true)
          .loss;
    };
    CHECK(without(g) == without(plain));
  }
}

TEST_CASE("network: gradients of whole residual networks equal central differences") {
  for (const char* name : {"resnet8", "resnet14", "resnet14_noshort"})
    for (char shortcut : {'A', 'B'})
      for (BatchnormMode mode : {BatchnormMode::frozen, BatchnormMode::batch}) {
        const Graph g = build_model({.name = name,
                                     .shortcut = shortcut,
                                     .width = 4,
                                     .classes = 5,
                                     .image_size = 9,
                                     .channels = 3,
                                     .activation = Activation::tanh});
        // Batch statistics over few pixels amplify rounding: measured 2e-5 to 8e-5.
        check_gradients(text(name, " ", shortcut), g, mode, LossKind::cross_entropy, 2, 4e-4);
      }
}

TEST_CASE("network: the same bits for any number of threads") {
  const Graph g = build_model({.name = "resnet8", .width = 8, .image_size = 12});
  const RandomProblem p = random_problem(g, 50, 3);
  const Tensor x = p.x.converted(DType::f32), theta = p.theta.converted(DType::f32);
  Tensor first;
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    Network network(g, 50, pool);
    const Tensor gradient({theta.size()});
    const Tensor running_stats = p.running_stats.converted(DType::f32);
    const double loss =
        network.loss_and_gradient(gradient, x, p.labels, theta, running_stats, BatchnormMode::batch)
            .loss;
    Tensor all({gradient.size() + running_stats.size() + 1});
    all.slice(0, gradient.shape()).copy_from(gradient);
    all.slice(gradient.size(), running_stats.shape()).copy_from(running_stats);
    all.data<float>()[all.size() - 1] = static_cast<float>(loss);
    if (!first.defined()) first = all;
    CHECK(std::memcmp(first.raw(), all.raw(), static_cast<size_t>(all.bytes())) == 0);
  }
}

TEST_CASE("network: a batch of more chunks than shares is still one batch") {
  // 70 chunks, 64 shares, against one chunk of everything.
  for (const char* name : {"resnet8", "vgg9", "densenetbc10_3", "lenet"}) {
    const Graph g = build_model({.name = name,
                                 .width = name[0] == 'r' || name[0] == 'v' ? 4 : 0,
                                 .classes = 5,
                                 .image_size = name[0] == 'l' ? 16 : 8,
                                 .activation = Activation::tanh});
    const RandomProblem p = random_problem(g, 70, 6);
    for (BatchnormMode mode : {BatchnormMode::batch, BatchnormMode::frozen}) {
      const auto gradient_by = [&](int64_t images_per_chunk, int threads) {
        ThreadPool pool(threads);
        Network network(g, 70, pool, {.dtype = DType::f64, .images_per_chunk = images_per_chunk});
        const Tensor gradient(p.theta.shape(), DType::f64);
        network.loss_and_gradient(gradient, p.x, p.labels, p.theta, p.running_stats.clone(), mode);
        return gradient;
      };
      const Tensor whole = gradient_by(70, 1), cut = gradient_by(1, 2);
      CHECK_MESSAGE(difference(whole, cut) <= 1e-11, name);
      CHECK_MESSAGE(difference(cut, gradient_by(1, 3)) == 0, name);
    }
  }
}

TEST_CASE("network: inference gives the logits of the frozen network, whatever the chunk") {
  const Graph g = build_model({.name = "resnet14", .width = 4, .image_size = 8});
  const RandomProblem p = random_problem(g, 5, 4);
  ThreadPool pool(1);
  Network network(g, 5, pool, {.dtype = DType::f64, .images_per_chunk = 2});
  network.loss(p.x, p.labels, p.theta, p.running_stats, BatchnormMode::frozen);
  InferencePlan plan(g, 3, DType::f64);
  plan.bind(p.theta, p.running_stats);
  Context context;
  const Tensor first = plan.run(p.x.rows(0, 3), context).clone();
  CHECK(difference(network.logits().rows(0, 3), first) <= 1e-12);
  const Tensor rest = plan.run(p.x.rows(3, 5), context).clone();
  CHECK(difference(network.logits().rows(3, 5), rest) <= 1e-12);
}

TEST_CASE("network: batches that do not fit are refused") {
  const Graph g = build_model({.name = "resnet8", .width = 4, .image_size = 8});
  const RandomProblem p = random_problem(g, 3, 5);
  ThreadPool pool(1);
  Network network(g, 2, pool, {.dtype = DType::f64});
  CHECK_THROWS_AS(network.loss(p.x, p.labels, p.theta, p.running_stats, BatchnormMode::batch),
                  Error);
  CHECK_THROWS_AS(
      network.loss(p.x.rows(0, 2), p.labels, p.theta, p.running_stats, BatchnormMode::batch),
      Error);
  CHECK_THROWS_AS(network.loss(p.x.rows(0, 2), p.labels.rows(0, 2), p.running_stats,
                               p.running_stats, BatchnormMode::batch),
                  Error);
}
