// Fused inference of several networks against the plain plan, one network at a time.
#include "nn/fused_plan.h"

#include <map>
#include <set>

#include "kernels/perturb/perturb.h"
#include "models/registry.h"
#include "nn/device_evaluation.h"
#include "tests/nn/nn_check.h"
#include "tests/nn/test_graphs.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Tensor double_normals(const Shape& shape, uint64_t seed, double scale = 1.0) {
  const Tensor t(shape, DType::f64);
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<double>()[i] = scale * Philox(seed, RandomStream::test).normal(static_cast<uint64_t>(i));
  return t;
}

/// v + a delta + b eta.
Tensor moved(const Tensor& v, const Tensor& delta, const Tensor& eta, double a, double b) {
  const Tensor w(v.shape(), v.dtype());
  Context context;
  perturb({.w = w, .theta = v, .delta = delta, .eta = eta, .a = a, .b = b}, context);
  return w;
}

/// Random weights, and directions that keep every variance positive.
NetworkOnPlane random_plane(const Graph& graph, uint64_t seed) {
  const Weights w = random_weights(graph, seed);
  const Tensor theta = w.theta.converted(DType::f64),
               running_stats = w.running_stats.converted(DType::f64);
  return {theta,
          running_stats,
          double_normals(theta.shape(), seed + 1, 0.05),
          double_normals(theta.shape(), seed + 2, 0.05),
          double_normals(running_stats.shape(), seed + 3, 0.01),
          double_normals(running_stats.shape(), seed + 4, 0.01)};
}

/// Logits of every point by the fused plan, in double on the CPU, against InferencePlan's.
void check_plan(const std::string& what, const Graph& graph, int64_t P) {
  CAPTURE(what);
  const NetworkOnPlane network = random_plane(graph, 7);
  const int64_t n = 3;
  const Tensor x = double_normals(with_batch(n, graph.image_shape()).shape(), 5);
  const Tensor coefficients({P, 2}, DType::f64);
  for (int64_t i = 0; i < 2 * P; ++i)
    coefficients.data<double>()[i] = 0.3 * static_cast<double>(i) - 0.5;
  Context context;
  context.force_implementation("gemm", "reference");
  FusedPlan plan(graph, {.images = 4, .points = P, .dtype = DType::f64});
  plan.form_weights(network, coefficients, context);
  plan.run(double_normals(x.shape(), 6), context);  // leaves nothing behind for the second run
  const Tensor logits = plan.run(x, context);
  REQUIRE(logits.shape() == (Shape{P, n, graph.classes()}));
  InferencePlan plain(graph, n, DType::f64);
  for (int64_t p = 0; p < P; ++p) {
    const double a = coefficients.data<double>()[2 * p];
    const double b = coefficients.data<double>()[2 * p + 1];
    const Tensor theta = moved(network.theta, network.delta, network.eta, a, b);
    const Tensor running_stats =
        moved(network.running_stats, network.states_delta, network.states_eta, a, b);
    plain.bind(theta, running_stats);
    const Tensor expected = plain.run(x, context);
    const Tensor got = logits.rows(p, p + 1);
    double largest = 0, error = 0;
    for (int64_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected.data<double>()[i]));
      const double difference = std::abs(expected.data<double>()[i] - got.data<double>()[i]);
      if (!(difference <= error)) error = difference;
    }
    CHECK_MESSAGE(error <= 1e-10 * largest, what, ", point ", p, " of ", P, ": off by ", error,
                  " of ", largest);
  }
}

}  // namespace

TEST_CASE("fused plan: logits of every point are those of its network alone") {
  for (int64_t P : {1, 3}) {
    for (const char* name : {"resnet14", "resnet8_noshort"})
      for (char shortcut : {'A', 'B'})
        check_plan(
            text(name, " ", shortcut),
            build_model(
                {.name = name, .shortcut = shortcut, .width = 4, .classes = 4, .image_size = 8}),
            P);
    check_plan("dense", dense_graph(), P);
    check_plan("shared parameters", shared_graph(), P);
    check_plan("nested", nested_graph(), P);
    check_plan("pooling", pooling_graph(), P);
    check_plan("awkward", awkward_graph(), P);
    for (const auto& [name, graph] : layer_graphs()) check_plan(name, graph, P);
    for (const auto& [name, graph] : rearranging_graphs()) check_plan(name, graph, P);
    for (uint64_t seed = 0; seed < 40; ++seed)
      check_plan(text("random ", seed), random_graph(seed), P);
  }
}

TEST_CASE("fused plan: a layer that it does not know runs as it is, with each point's parameters") {
  for (int64_t P : {1, 3}) check_plan("unknown", unknown_graph(), P);
  Graph graph({6, 6, 3});
  const Value x = unknown_layer(graph, graph.input(), ParameterKind::bn_mean);
  graph.set_output(graph.linear(x, 4));
  CHECK_THROWS_WITH_AS(FusedPlan(graph, {}),
                       "inference knows no running statistics but BatchNorm's: unknown1 (unknown) "
                       "has some",
                       Error);
}

TEST_CASE("fused plan: a residual network is as many steps as it has convolutions, and three") {
  const Graph graph = build_model({.name = "resnet20", .shortcut = 'B'});
  // 1 + 18 + 2 convolutions; the global average, the linear layer.
  CHECK(FusedPlan(graph, {}).step_count() == 23);
  const Graph option_a = build_model({.name = "resnet20", .shortcut = 'A'});
  CHECK(FusedPlan(option_a, {}).step_count() == 19 + 2 + 2);  // two shortcuts without weights
}

TEST_CASE("fused plan: a block of a DenseNet lies in one piece, and copies new channels alone") {
  const Graph graph = build_model({.name = "densenet121"});
  const FusedProgram program = with_nested_concats(fused_program(graph), graph);
  int64_t copied = 0, concats = 0;
  std::set<int> storages;
  for (const FusedStep& step : program.steps)
    if (const auto* concat = std::get_if<FusedConcatStep>(&step.what)) {
      ++concats;
      storages.insert(program.storage_of[at(step.output)]);
      for (const FusedConcatStep::Part& part : concat->parts)
        copied += graph.nodes()[at(part.value)].shape[2];
    }
  CHECK(concats == 6 + 12 + 24 + 16);
  CHECK(storages.size() == 4);
  CHECK(copied == concats * 32 + 64 + 128 + 256 + 512);  // the new ones, and what enters a block
}

TEST_CASE("fused plan: a concatenation that others read as it is lies alone") {
  const Graph graph = nested_graph();
  const FusedProgram program = with_nested_concats(fused_program(graph), graph);
  std::map<int, int> parts;  // written to each storage
  for (const FusedStep& step : program.steps)
    if (std::holds_alternative<FusedConcatStep>(step.what))
      ++parts[program.storage_of[at(step.output)]];
  std::vector<int> counts;
  for (const auto& [storage, count] : parts) {
    counts.push_back(count);
    CHECK(
        !program
             .allows_padding[at(storage)]);  // a pool, a convolution, or two concatenations read it
  }
  CHECK(counts == std::vector<int>{3, 1, 4});  // {a, b, c}, {d}, and {e, its concatenation, f, all}
}

/// Logits [n, classes] of one network, off the centre of its plane, in f32's memory.
Tensor fused_logits(const Graph& graph, const NetworkOnPlane& network, const Tensor& x,
                    Precision precision, Context& context) {
  FusedPlan plan(
      graph,
      {.images = x.dim(0) + 3, .precision = precision, .error_budget = ErrorBudget::relaxed});
  const Tensor coefficients({1, 2}, DType::f64);
  coefficients.data<double>()[0] = 0.3;
  coefficients.data<double>()[1] = -0.2;
  const auto f32 = [](const Tensor& t) { return t.converted(DType::f32); };
  plan.form_weights({f32(network.theta), f32(network.running_stats), f32(network.delta),
                     f32(network.eta), f32(network.states_delta), f32(network.states_eta)},
                    coefficients, context);
  plan.run(x, context);  // leaves nothing behind for the second run
  return plan.run(x, context).reshaped({x.dim(0), graph.classes()}).clone();
}

/// Two convolutions of images that fill the cache, the second one perhaps gated by means of the
/// first (squeeze and excitation), then smaller images.
Graph excited_graph(bool excited) {
  Graph graph({32, 32, 3});
  Value x = graph.relu(graph.conv(graph.input(), 48, {}));
  if (excited) {
    const Value means =
        graph.conv(graph.mean(x, {.height = true, .width = true}), 4, {.kernel = 1});
    const Value gates = graph.activation(graph.conv(means, 48, {.kernel = 1}), Activation::sigmoid);
    x = graph.multiply(x, gates);
  }
  x = graph.relu(graph.conv(x, 8, {.stride = 4}));
  graph.set_output(graph.linear(graph.global_average_pool(x), 4));
  return graph;
}

/// Networks wide enough for vectors and tiles, whose stages run in segments of their own.
std::vector<Graph> wide_graphs() {
  std::vector<Graph> graphs;
  for (char shortcut : {'A', 'B'})
    graphs.push_back(build_model(
        {.name = "resnet14", .shortcut = shortcut, .width = 16, .classes = 4, .image_size = 16}));
  graphs.push_back(build_model({.name = "vgg9", .width = 16, .classes = 4}));
  graphs.push_back(dense_graph());
  graphs.push_back(nested_graph());
  graphs.push_back(unknown_graph());
  graphs.push_back(excited_graph(true));
  return graphs;
}

// f32: a few roundings of the largest logit. Rounding to bf16 loses 2^-9 of every number, a dozen
// times in a row; bf16x3 2^-17.
TEST_CASE("fused plan: vector code and tiles give the logits of the plain plan, in any precision") {
  const std::pair<Precision, double> precisions[] = {
      {Precision::f32, 2e-5}, {Precision::bf16x3, 5e-4}, {Precision::bf16, 6e-2}};
  for (const Graph& graph : wide_graphs()) {
    const NetworkOnPlane network = random_plane(graph, 7);
    const int64_t n = 37;
    const Tensor x = double_normals(with_batch(n, graph.image_shape()).shape(), 5);
    Context context;
    InferencePlan plain(graph, n);
    const Tensor theta = moved(network.theta, network.delta, network.eta, 0.3, -0.2);
    const Tensor running_stats =
        moved(network.running_stats, network.states_delta, network.states_eta, 0.3, -0.2);
    plain.bind(theta.converted(DType::f32), running_stats.converted(DType::f32));
    const Tensor images = x.converted(DType::f32);
    const Tensor expected = plain.run(images, context);
    for (const auto& [kind, tolerance] : precisions) {
      const Precision precision = kind;  // clang 14's lambdas take no structured binding
      const Tensor got = fused_logits(graph, network, images, precision, context);
      double largest = 0, error = 0;
      for (int64_t i = 0; i < expected.size(); ++i) {
        const double e = expected.data<float>()[i];
        largest = std::max(largest, std::abs(e));
        if (!(std::abs(e - got.data<float>()[i]) <= error))
          error = std::abs(e - got.data<float>()[i]);
      }
      CHECK_MESSAGE(error <= tolerance * largest, graph.nodes().size(), " nodes, ",
                    name_of(precision), ": off by ", error, " of ", largest);
    }
  }
}

TEST_CASE("fused plan: an image's logits are the same whatever images are beside it") {
  const Graph graph = build_model(
      {.name = "resnet8", .shortcut = 'B', .width = 16, .classes = 4, .image_size = 16});
  const NetworkOnPlane network = random_plane(graph, 7);
  const Tensor x =
      double_normals(with_batch(21, graph.image_shape()).shape(), 5).converted(DType::f32);
  Context context;
  for (Precision precision : {Precision::f32, Precision::bf16x3, Precision::bf16}) {
    const Tensor all = fused_logits(graph, network, x, precision, context);
    for (int64_t first : {1, 5, 20}) {
      const Tensor some = fused_logits(graph, network, x.rows(first, 21), precision, context);
      CHECK_MESSAGE(std::memcmp(some.raw(), all.rows(first, 21).raw(),
                                static_cast<size_t>(some.bytes())) == 0,
                    name_of(precision), ", images from ", first);
    }
  }
}

TEST_CASE("fused plan: squeeze and excitation lets no image leave the cache") {
  const auto segments = [](const Graph& graph) {
    return FusedPlan(graph, {.images = 32}).segment_count();
  };
  CHECK(segments(excited_graph(false)) > 1);
  CHECK(segments(excited_graph(true)) == segments(excited_graph(false)));
}

TEST_CASE("fused plan: a network in tiles leaves them for pictures and sums alone") {
  const Graph graph = build_model({.name = "resnet20", .shortcut = 'B'});
  // The images to tiles, the last block's sum from them; else as in f32.
  CHECK(FusedPlan(graph, {.precision = Precision::bf16}).step_count() == 23 + 2);
}

TEST_CASE("device evaluation: losses on an emulated GPU are the CPU's within rounding") {
  const auto check = [](const std::string& what, const Graph& graph, Loss kind) {
    CAPTURE(what);
    const Weights w = random_weights(graph, 2);
    const LabelledImages images = labelled_images(37, graph.image_shape()[0], 4, 1);
    ThreadPool cpu(1), simt(1, Device::simt);
    const Tensor cpu_logits({37, 4}), simt_logits({37, 4});
    const LossSums expected =
        evaluate(graph, w.theta, w.running_stats, images, kind, cpu, cpu_logits);
    const LossSums got = evaluate(graph, w.theta, w.running_stats, images, kind, simt, simt_logits);
    CHECK(std::abs(got.loss / expected.loss - 1) <= 2e-6);  // some roundings of float
    CHECK(std::abs(got.loss_squares / expected.loss_squares - 1) <= 4e-6);
    CHECK(got.correct == expected.correct);
    CHECK(got.count == 37);
    for (int64_t i = 0; i < cpu_logits.size(); ++i)
      CHECK(std::abs(cpu_logits.data<float>()[i] - simt_logits.data<float>()[i]) <= 1e-5);
  };
  const Graph resnet = build_model({.name = "resnet8", .width = 4, .classes = 4, .image_size = 8});
  for (Loss kind : {LossKind::cross_entropy, LossKind::mse}) check("resnet8", resnet, kind);
  check("unknown", unknown_graph(), LossKind::cross_entropy);
  for (const auto& [name, graph] : layer_graphs())
    if (name.starts_with("layer norm") || name.starts_with("broadcast") ||
        name.starts_with("rearranged") || name.starts_with("parameters"))
      check(name, graph, LossKind::cross_entropy);
}

namespace {

/// The largest difference, as a share of the largest expected magnitude; not a number where one is.
double share_off(const Tensor& expected, const Tensor& got) {
  const Tensor e = expected.converted(DType::f64), g = got.converted(DType::f64);
  double largest = 0, error = 0;
  for (int64_t i = 0; i < e.size(); ++i) {
    largest = std::max(largest, std::abs(e.data<double>()[i]));
    const double off = std::abs(e.data<double>()[i] - g.data<double>()[i]);
    if (!(off <= error)) error = off;
  }
  return error / largest;
}

/// Logits [P, n, classes] of a plan on the emulated GPU; `planar`: whether it has to use planes.
Tensor logits_on_device(const Graph& graph, const NetworkOnPlane& network, const Tensor& x,
                        const Tensor& coefficients, Precision precision, bool planar) {
  const auto there = [](const Tensor& t) { return t.converted(DType::f32).to(Device::simt); };
  Context context(Device::simt);
  FusedPlan plan(graph, {.images = x.dim(0) + 1,
                         .points = coefficients.dim(0),
                         .device = Device::simt,
                         .precision = precision});
  CHECK(plan.is_planar() == planar);
  plan.form_weights({there(network.theta), there(network.running_stats), there(network.delta),
                     there(network.eta), there(network.states_delta), there(network.states_eta)},
                    coefficients.to(Device::simt), context);
  plan.run(there(double_normals(x.shape(), 6)), context);  // leaves nothing behind
  return plan.run(there(x), context).to(Device::cpu);
}

}  // namespace

TEST_CASE("fused plan: planes of bf16 on a GPU give the logits of the plain plan") {
  // As for the CPU's tiles above: a dozen roundings in a row of 2^-9 and 2^-17.
  const std::pair<Precision, double> precisions[] = {{Precision::bf16x3, 5e-4},
                                                     {Precision::bf16, 6e-2}};
  for (char shortcut : {'A', 'B'}) {
    const Graph graph = build_model(
        {.name = "resnet8", .shortcut = shortcut, .width = 16, .classes = 4, .image_size = 32});
    const NetworkOnPlane network = random_plane(graph, 7);
    const int64_t n = 3;  // one image is alone where two lie side by side
    const Tensor x = double_normals(with_batch(n, graph.image_shape()).shape(), 5);
    const Tensor coefficients({2, 2}, DType::f64);
    for (int64_t i = 0; i < 4; ++i) coefficients.data<double>()[i] = 0.3 * (1.0 - i);
    for (const auto& [kind, tolerance] : precisions) {
      const Precision precision = kind;  // clang 14's lambdas take no structured binding
      const Tensor got = logits_on_device(graph, network, x, coefficients, precision, true);
      for (int64_t p = 0; p < 2; ++p) {
        const double a = coefficients.data<double>()[2 * p];
        const double b = coefficients.data<double>()[2 * p + 1];
        InferencePlan plain(graph, n, DType::f64);
        plain.bind(moved(network.theta, network.delta, network.eta, a, b),
                   moved(network.running_stats, network.states_delta, network.states_eta, a, b));
        Context context;
        context.force_implementation("gemm", "reference");
        const Tensor expected = plain.run(x, context);
        const double error = share_off(expected, got.rows(p, p + 1));
        CHECK_MESSAGE(error <= tolerance, "shortcut ", shortcut, ", ", name_of(precision),
                      ", point ", p, ": off by ", error);
      }
    }
  }
}

TEST_CASE("fused plan: a network with a convolution that planes do not take stays with f32") {
  const Graph graph = build_model(
      {.name = "resnet8", .shortcut = 'B', .width = 16, .classes = 4, .image_size = 16});
  const NetworkOnPlane network = random_plane(graph, 7);
  const Tensor x = double_normals(with_batch(2, graph.image_shape()).shape(), 5);
  const Tensor coefficients = Tensor::zeros({1, 2}, DType::f64);
  const Tensor f32 = logits_on_device(graph, network, x, coefficients, Precision::f32, false);
  const Tensor bf16 = logits_on_device(graph, network, x, coefficients, Precision::bf16, false);
  CHECK(share_off(f32, bf16) <= 6e-2);
  CHECK(share_off(f32, bf16) > 1e-5);
}

TEST_CASE("fused plan: one network's stages stay in a GPU's cache, several run as they lie") {
  const Graph graph = build_model({.name = "resnet20", .shortcut = 'B'});
  const auto segments = [&](int64_t images, int64_t points) {
    return FusedPlan(graph, {.images = images, .points = points, .device = Device::simt})
        .segment_count();
  };
  CHECK(segments(512, 1) == 3);
  CHECK(segments(32, 1) == 1);
  CHECK(segments(32, 2) == 1);
}

TEST_CASE("device evaluation: losses in planes of bf16 are the CPU's within their rounding") {
  const Graph graph = build_model(
      {.name = "resnet8", .shortcut = 'B', .width = 16, .classes = 4, .image_size = 32});
  const Weights w = random_weights(graph, 2);
  const LabelledImages images = labelled_images(37, 32, 4, 1);
  ThreadPool cpu(1);
  const LossSums expected = evaluate(graph, w.theta, w.running_stats, images, Loss(), cpu);
  const std::pair<Precision, double> precisions[] = {{Precision::bf16x3, 1e-4},
                                                     {Precision::bf16, 2e-2}};
  for (const auto& [kind, tolerance] : precisions) {
    const Precision precision = kind;
    Context context(Device::simt);
    DeviceEvaluation evaluation(graph, {w.theta, w.running_stats}, {&images, 1},
                                {.precision = precision}, context);
    const std::array<double, 2> here{0, 0};
    const LossSums got = evaluation.evaluate({&here, 1})[0][0][0];
    const double off = std::abs(got.loss / expected.loss - 1);
    CHECK_MESSAGE(off <= tolerance, name_of(precision), ": off by ", off);
    CHECK(got.count == 37);
  }
}
