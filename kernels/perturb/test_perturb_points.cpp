#include "kernels/perturb/perturb.h"
#include "kernels/perturb/perturb_points.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Layer {
  int32_t filters, length;
  bool bias, batchnorm;
  bool alone = false;  // a BatchNorm without a convolution
  bool affine = true;  // it has gamma and beta
  double epsilon = 1e-5;
};

/// Layout of theta, per layer: weights, then bias, gamma, beta where it has them; of the running
/// statistics: mean, variance.
struct Network {
  explicit Network(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) {
      FoldedFilter f{};
      f.length = layer.length;
      f.filters = layer.filters;
      f.layer_weights = weights;
      f.layer_bias = biases;
      const int32_t first = take(parameters, layer.filters * layer.length, !layer.alone);
      const int32_t bias = take(parameters, layer.filters, layer.bias);
      f.epsilon = layer.epsilon;
      const int32_t gamma = take(parameters, layer.filters, layer.batchnorm && layer.affine);
      const int32_t beta = take(parameters, layer.filters, layer.batchnorm && layer.affine);
      const int32_t mean = take(running_stats, layer.filters, layer.batchnorm);
      const int32_t variance = take(running_stats, layer.filters, layer.batchnorm);
      const auto place = [](int32_t base, int32_t o) { return base < 0 ? -1 : base + o; };
      for (int32_t o = 0; o < layer.filters; ++o) {
        f.weights = place(first, o * layer.length);
        f.bias = place(bias, o);
        f.gamma = place(gamma, o);
        f.beta = place(beta, o);
        f.mean = place(mean, o);
        f.variance = place(variance, o);
        f.filter = o;
        table.push_back(f);
      }
      weights += layer.filters * layer.length;
      biases += layer.filters;
    }
  }
  static int32_t take(int32_t& end, int32_t count, bool present) {
    if (!present) return -1;
    end += count;
    return end - count;
  }
  Tensor filters() const {
    return Tensor::wrap(const_cast<FoldedFilter*>(table.data()),
                        {static_cast<int64_t>(table.size()), FoldedFilter::kColumns}, DType::i32);
  }
  std::vector<FoldedFilter> table;
  int32_t parameters = 0, running_stats = 0, weights = 0, biases = 0;
};

PerturbPointsArgs make_args(Operands& o, const Network& net, int64_t P, bool with_delta,
                            bool with_eta) {
  Tensor coefficients({P, 2}, DType::f64);
  for (int64_t i = 0; i < 2 * P; ++i)
    coefficients.data<double>()[i] = 0.1 * static_cast<double>(i % 7) - 0.25;
  // Variances stay positive at every point: 2 or more, moved by less than 0.5.
  return {.weights = o.output({P * net.weights}),
          .biases = o.output({P * net.biases}),
          .theta = o.normal({net.parameters}),
          .delta = with_delta ? o.normal({net.parameters}) : Tensor(),
          .eta = with_eta ? o.normal({net.parameters}) : Tensor(),
          .running_stats = o.uniform({net.running_stats}, 2, 4),
          .states_delta = with_delta ? o.uniform({net.running_stats}, -0.5, 0.5) : Tensor(),
          .states_eta = with_eta ? o.uniform({net.running_stats}, -0.5, 0.5) : Tensor(),
          .coefficients = o.given(coefficients),
          .filters = o.given(net.filters())};
}

}  // namespace

TEST_CASE(
    "perturb_points: every implementation equals the reference, with and without each direction") {
  // Filters shorter and longer than a block, one of a block's length, a linear layer without
  // BatchNorm, a convolution with bias and BatchNorm, a BatchNorm alone, such without gamma and
  // beta; one point, several, more than fit at a time.
  const Network net({{5, 27, false, true},
                     {3, 128, true, true},
                     {2, 301, true, false},
                     {7, 1, false, false},
                     {9, 1, false, true, true},
                     {4, 1, false, true, true, false, 0.3},
                     {3, 6, true, true, false, false}});
  for (int64_t P : {0, 1, 3, 32, 33})
    for (bool with_delta : {false, true})
      for (bool with_eta : {false, true})
        check_op<PerturbPointsArgs>(
            text("perturb_points P=", P, " delta=", with_delta, " eta=", with_eta),
            [&](Operands& o) { return make_args(o, net, P, with_delta, with_eta); },
            1e-7);  // double inside, rounded to float once
  check_op<PerturbPointsArgs>(
      "perturb_points without filters",
      [&](Operands& o) { return make_args(o, Network({}), 2, true, true); }, 0);
}

TEST_CASE("perturb_points: all implementations give the same bits") {
  const Network net(
      {{5, 27, false, true}, {3, 140, true, true, false, false, 0.01}, {9, 1, false, true, true}});
  for (const std::pair<bool, bool>& directions :
       {std::pair(true, true), std::pair(true, false), std::pair(false, false)}) {
    std::vector<Tensor> weights, biases;
    for_each_execution<PerturbPointsArgs>([&](const auto& implementation,
                                              const Execution& execution, Context& context) {
      Operands o(3, DType::f32, implementation.device);
      PerturbPointsArgs args = make_args(o, net, 35, directions.first, directions.second);
      implementation.run(args, context);
      weights.push_back(args.weights.to(Device::cpu).clone());
      biases.push_back(args.biases.to(Device::cpu).clone());
      for (const std::vector<Tensor>& all : {weights, biases}) {
        const bool same =
            std::memcmp(all[0].raw(), all.back().raw(), static_cast<size_t>(all[0].bytes())) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      }
    });
  }
}

TEST_CASE(
    "perturb_points: an absent direction leaves its term out, even beside an infinite factor") {
  const Network net({{3, 37, false, false}, {2, 1, false, true, true}});
  const Tensor coefficients({1, 2}, DType::f64);
  coefficients.data<double>()[0] = coefficients.data<double>()[1] =
      std::numeric_limits<double>::infinity();
  for_each_execution<PerturbPointsArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        Operands o(3, DType::f32, implementation.device);
        PerturbPointsArgs args = make_args(o, net, 1, false, false);
        args.coefficients = o.given(coefficients);
        const Tensor minus_zero = args.theta.to(Device::cpu).clone();
        minus_zero.data<float>()[0] = -0.0F;
        args.theta = o.given(minus_zero);
        implementation.run(args, context);
        const Tensor weights = args.weights.to(Device::cpu);
        const bool same = std::memcmp(weights.raw(), minus_zero.raw(), 3 * 37 * sizeof(float)) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      });
}

TEST_CASE(
    "perturb_points: without BatchNorm, a point's weights are those of perturb, bit for bit") {
  const Network net({{3, 37, false, false}, {11, 5, false, false}});
  for_each_execution<PerturbPointsArgs>([&](const auto& implementation, const Execution& execution,
                                            Context& context) {
    Operands o(3, DType::f32, implementation.device);
    const int64_t P = 4;
    const PerturbPointsArgs args = make_args(o, net, P, true, true);
    implementation.run(args, context);
    const Tensor weights = args.weights.to(Device::cpu);
    const Tensor coefficients = args.coefficients.to(Device::cpu);
    Context cpu;
    for (int64_t p = 0; p < P; ++p) {
      const Tensor expected({net.parameters});
      perturb({.w = expected,
               .theta = args.theta.to(Device::cpu),
               .delta = args.delta.to(Device::cpu),
               .eta = args.eta.to(Device::cpu),
               .a = coefficients.data<double>()[2 * p],
               .b = coefficients.data<double>()[2 * p + 1]},
              cpu);
      int64_t done = 0;
      for (const int64_t size : {3 * 37, 11 * 5}) {
        const bool same =
            std::memcmp(weights.data<float>() + P * done + p * size, expected.data<float>() + done,
                        static_cast<size_t>(size) * sizeof(float)) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe(), ", point ", p);
        done += size;
      }
    }
  });
}

TEST_CASE("perturb_points: tensors that disagree are refused") {
  const Network net({{5, 27, false, true}});
  Operands o(1, DType::f32);
  Context context;
  PerturbPointsArgs args = make_args(o, net, 2, true, true);
  args.biases = Tensor({net.biases});
  CHECK_THROWS_WITH_AS(perturb_points(args, context),
                       "perturb_points: biases [5] must be one per point and filter, 2 times 5",
                       Error);
  args = make_args(o, net, 2, true, true);
  args.eta = Tensor({3});
  CHECK_THROWS_AS(perturb_points(args, context), Error);
  args = make_args(o, net, 2, true, true);
  args.coefficients = Tensor({2, 2});
  CHECK_THROWS_AS(perturb_points(args, context), Error);
}
