// The convolutions of ResNet-56 and VGG-9: forward and backward as training runs them, and fused,
// for several networks at once, as a surface does.
#include <set>

#include "kernels/fused_conv/fused_conv.h"
#include "tests/gpu/bench.h"
#include "tests/gpu/bench_networks.h"

namespace topograd::bench {

namespace {

/// One convolution of a network.
struct ConvShape {
  int64_t H, W, I, O, kernel;
  ConvGeometry geometry;
  double flop(int64_t images) const {
    return 2.0 * static_cast<double>(y(images).size() * kernel * kernel * I);
  }
  Shape x(int64_t images) const { return {images, H, W, I}; }
  Shape y(int64_t images) const { return geometry.output(x(images), w()); }
  Shape w(int64_t networks = 1) const { return {networks * O, kernel, kernel, I}; }
  std::string describe() const {
    return text(kernel, "x", kernel, " ", I, "->", O, " on ", H, "x", W,
                geometry.stride != 1 ? text(", stride ", geometry.stride) : "");
  }
};

/// The network's convolutions, each shape once, in order; made small for a quick run.
std::vector<ConvShape> convolutions_of(const Graph& graph, bool quick) {
  std::vector<ConvShape> shapes;
  std::set<std::string> seen;
  for (const Node& node : graph.nodes()) {
    if (!node.layer || node.layer->fusion_role() != FusionRole::convolution) continue;
    const Shape& image = graph.nodes()[static_cast<size_t>(node.inputs[0])].shape;
    const Shape& weight =
        graph.layout().parameters()[static_cast<size_t>(node.parameters[0])].shape;
    ConvShape shape{image[0],  image[1],  image[2],
                    weight[0], weight[1], node.layer->conv_geometry()};
    if (quick)
      shape = {5,
               5,
               std::min<int64_t>(shape.I, 8),
               std::min<int64_t>(shape.O, 8),
               shape.kernel,
               shape.geometry};
    if (seen.insert(shape.describe()).second) shapes.push_back(shape);
  }
  return shapes;
}

/// The three directions with the rounding that Trainer asks for.
void bench_training(Bench& bench, const std::string& network, const ConvShape& s) {
  const int64_t N = bench.options().size(128, 1);
  const Work work{text("training, ", N, " images"), text(network, " ", s.describe()), s.flop(N)};
  bench.implementations<Conv2dForwardArgs>(work, [&](Inputs& in) {
    return Conv2dForwardArgs{.y = in.normal(s.y(N)),
                             .x = in.normal(s.x(N)),
                             .w = in.normal(s.w()),
                             .bias = {},
                             .geometry = s.geometry,
                             .error_budget = ErrorBudget::relaxed};
  });
  bench.implementations<Conv2dBackwardDataArgs>(work, [&](Inputs& in) {
    return Conv2dBackwardDataArgs{.dx = in.normal(s.x(N)),
                                  .dy = in.normal(s.y(N)),
                                  .w = in.normal(s.w()),
                                  .geometry = s.geometry,
                                  .error_budget = ErrorBudget::relaxed};
  });
  bench.implementations<Conv2dBackwardFilterArgs>(work, [&](Inputs& in) {
    return Conv2dBackwardFilterArgs{.dw = in.normal(s.w()),
                                    .dy = in.normal(s.y(N)),
                                    .x = in.normal(s.x(N)),
                                    .geometry = s.geometry};
  });
}

/// What Evaluator runs: 2048 images of 8 networks together. With a residual where a block's second
/// convolution has one.
void bench_evaluation(Bench& bench, const std::string& network, const ConvShape& s) {
  const int64_t P = bench.options().size(8, 2), N = bench.options().size(256, 1);
  const bool residual = network != "VGG-9" && s.I == s.O && s.geometry.stride == 1;
  const auto make = [&](Precision precision) {
    return [&, precision](Inputs& in) {
      return FusedConvArgs{.y = in.normal(s.y(P * N)),
                           .x = in.normal(s.x(P * N)),
                           .w = in.normal(s.w(P)),
                           .bias = in.normal({P * s.O}),
                           .residual = residual ? in.normal(s.y(P * N)) : Tensor(),
                           .points = P,
                           .geometry = s.geometry,
                           .relu = true,
                           .precision = precision};
    };
  };
  const std::string group = text("evaluation, ", P, " networks, ", N, " images each");
  const std::string what = text(network, " ", s.describe(), residual ? ", residual" : "");
  bench.implementations<FusedConvArgs>({group, what, s.flop(P * N)}, make(Precision::f32));
  bench.implementations<FusedConvArgs>({group, what + ", bf16x3", s.flop(P * N)},
                                       make(Precision::bf16x3), true);
  bench.implementations<FusedConvArgs>({group, what + ", bf16", s.flop(P * N)},
                                       make(Precision::bf16), true);
}

}  // namespace

void bench_layers(Bench& bench) {
  for (const auto& [name, graph] :
       {std::pair<std::string, Graph>{"ResNet-56", network("resnet56")}, {"VGG-9", vgg9()}}) {
    for (const ConvShape& shape : convolutions_of(graph, bench.options().quick)) {
      bench_training(bench, name, shape);
      bench_evaluation(bench, name, shape);
    }
  }
}

}  // namespace topograd::bench
