// Whole passes: the weights of many points, and images of many networks a second.
#include "tests/gpu/bench_networks.h"

#include "nn/device_evaluation.h"
#include "nn/trainer.h"
#include "tests/gpu/bench.h"

namespace topograd::bench {

namespace {

/// A network at its initial weights on a plane of random directions, all on the device.
NetworkOnPlane random_plane(const Graph& graph, const RandomBlocks& blocks) {
  const ParameterLayout& layout = graph.layout();
  const Tensor theta({layout.parameter_count()}), running_stats({layout.state_count()});
  initialise(layout, 1, theta, running_stats);
  Inputs inputs(blocks);
  const Device device = inputs.device();
  return {.theta = theta.to(device),
          .running_stats = running_stats.to(device),
          .delta = inputs.normal(theta.shape()),
          .eta = inputs.normal(theta.shape())};
}

/// (a, b) of P points near the centre: further out a random direction makes activations overflow.
std::vector<std::array<double, 2>> positions(int64_t P) {
  std::vector<std::array<double, 2>> all;
  for (int64_t p = 0; p < P; ++p)
    all.push_back({1e-4 * static_cast<double>(p), -1e-4 * static_cast<double>(p)});
  return all;
}

Tensor coefficients(int64_t P, Device device) {
  const Tensor t({P, 2}, DType::f64);
  const auto all = positions(P);
  std::copy_n(all[0].data(), t.size(), t.data<double>());
  return t.to(device);
}

/// perturb_points on a real table of filters: theta and two directions read, P networks written.
void bench_perturb_points(Bench& bench, const std::string& name, const RandomBlocks& blocks) {
  const Options& options = bench.options();
  const Graph graph = network(name);
  const NetworkOnPlane plane = random_plane(graph, blocks);
  for (int64_t P : {options.size(16, 2), options.size(1, 1)}) {
    FusedPlan plan(graph, {.images = 1, .points = P, .device = options.device});
    const Tensor points = coefficients(P, options.device);
    Context context(options.device);
    const Timing t =
        time_work(options, context, [&] { plan.form_weights(plane, points, context); });
    const double vector = static_cast<double>(plane.theta.bytes());
    bench.add({"vectors of parameters", text(name, ", P=", P)}, "perturb_points", "filter", t,
              static_cast<double>(P + 3) * vector);
  }
}

LabelledImages random_images(const Graph& graph, int64_t count, const RandomBlocks& blocks) {
  const Shape& s = graph.image_shape();
  Inputs inputs(blocks);
  return {inputs.integers({count, s[0], s[1], s[2]}, 256, DType::u8),
          inputs.integers({count}, static_cast<uint32_t>(graph.classes())),
          {{0.49, 0.48, 0.45}, {0.25, 0.24, 0.26}}};
}

/// What a surface is made of: DeviceEvaluation over all images, P points at a time.
void bench_evaluation(Bench& bench, const std::string& name, const Graph& graph,
                      const RandomBlocks& blocks, int64_t P,
                      const std::string& implementation = {}) {
  const Options& options = bench.options();
  const int64_t count = options.size(8192, 2);
  const LabelledImages images = random_images(graph, count, blocks);
  Context context(options.device);
  if (!implementation.empty()) context.force_implementation("fused_conv", implementation);
  DeviceEvaluation evaluation(graph, random_plane(graph, blocks), {&images, 1}, {.points = P},
                              context);
  const auto points = positions(P);
  // It records its passes itself.
  const Timing t = time_work(
      options, context, [&] { evaluation.evaluate(points); }, false);
  const auto passes = static_cast<double>(P * count);
  bench.add({"whole networks", text(name, ", P=", P, ", ", count, " images, f32"),
             2.0 * static_cast<double>(graph.macs()) * passes},
            "evaluation", implementation.empty() ? "as chosen" : implementation, t, 0, passes);
}

/// One chunk of a pass with its products in lower precision: weights and network, without the
/// images' normalisation and the losses.
void bench_precision(Bench& bench, const std::string& name, const Graph& graph,
                     const RandomBlocks& blocks, Precision precision, int64_t P) {
  const Options& options = bench.options();
  const int64_t N = options.size(2048 / P, 2);
  const NetworkOnPlane plane = random_plane(graph, blocks);
  FusedPlan plan(graph,
                 {.images = N, .points = P, .device = options.device, .precision = precision});
  const Tensor points = coefficients(P, options.device);
  const Shape& s = graph.image_shape();
  const Tensor x = Inputs(blocks).normal({N, s[0], s[1], s[2]});
  Context context(options.device);
  const Timing t = time_work(options, context, [&] {
    plan.form_weights(plane, points, context);
    plan.run(x, context);
  });
  const auto passes = static_cast<double>(P * N);
  bench.add({"whole networks", text(name, ", P=", P, ", ", N, " images, ", name_of(precision)),
             2.0 * static_cast<double>(graph.macs()) * passes},
            "fused_plan", "as chosen", t, 0, passes);
}

}  // namespace

void bench_networks(Bench& bench) {
  const Options& options = bench.options();
  const RandomBlocks& blocks = bench.blocks();
  for (const char* name : {"resnet56", "vgg9"}) bench_perturb_points(bench, name, blocks);
  if (options.quick) {
    const Graph tiny = build_model({.name = "resnet8", .width = 4, .image_size = 8});
    bench_evaluation(bench, "resnet8", tiny, blocks, 2);
    bench_precision(bench, "resnet8", tiny, blocks, Precision::bf16, 2);
    return;
  }
  for (const char* name : {"resnet56", "resnet20", "vgg9"}) {
    const Graph graph = network(name);
    for (int64_t P : {1, 8, 16}) bench_evaluation(bench, name, graph, blocks, P);
    bench_evaluation(bench, name, graph, blocks, 8, "implicit_gemm");
    for (Precision precision : {Precision::f32, Precision::bf16x3, Precision::bf16})
      for (int64_t P : {1, 8}) bench_precision(bench, name, graph, blocks, precision, P);
  }
}

}  // namespace topograd::bench
