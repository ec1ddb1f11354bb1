// Promises of every implementation of the large operations beyond the sizes and values of their own
// cases, which libraries tend to break: NaN, tensors anywhere in memory, recorded passes, the
// same bits in every run.
#include "kernels/core/recording.h"
#include "kernels/fused_conv/fused_conv.h"
#include "kernels/gemm/gemm.h"
#include "kernels/vector/vector.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Sums of at most 144 products in f32: 12 ulp of 6e-8 against results of scale 12, as in the
/// operations' own tests.
constexpr double kTolerance = 5e-6;

/// Returns a copy on a device, one float behind the beginning of its memory.
Tensor off_by_one(const Tensor& values, Device device) {
  const Tensor there = Tensor({values.size() + 1}, DType::f32, device).slice(1, values.shape());
  there.copy_from(values);
  return there;
}

/// Memory layouts of a test's operands.
using Place = std::function<Tensor(const Tensor& values, Device device)>;

/// Operands of f32 on the CPU, from a seed.
struct Host {
  explicit Host(uint64_t seed) : operands(seed, DType::f32) {}
  Tensor normal(const Shape& shape) { return operands.normal(shape).clone(); }
  Operands operands;
};

/// Arguments of each operation, on small shapes, with its output first.
template <class Args>
struct Example;

template <>
struct Example<GemmArgs> {
  Tensor a = Host(1).normal({19, 24}), b = Host(2).normal({24, 36});
  GemmArgs make(Device device, const Place& place) const {
    return {
        .c = place(Tensor::zeros({19, 36}), device), .a = place(a, device), .b = place(b, device)};
  }
  static const Tensor& output(const GemmArgs& args) { return args.c; }
};

template <>
struct Example<Conv2dForwardArgs> {
  Tensor x = Host(1).normal({2, 7, 5, 16}), w = Host(2).normal({16, 3, 3, 16});
  Tensor bias = Host(3).normal({16});
  Conv2dForwardArgs make(Device device, const Place& place) const {
    return {.y = place(Tensor::zeros({2, 4, 3, 16}), device),
            .x = place(x, device),
            .w = place(w, device),
            .bias = place(bias, device),
            .geometry = {2, 1}};
  }
  static const Tensor& output(const Conv2dForwardArgs& args) { return args.y; }
};

template <>
struct Example<Conv2dBackwardDataArgs> {
  Tensor dy = Host(1).normal({2, 4, 3, 16}), w = Host(2).normal({16, 3, 3, 16});
  Conv2dBackwardDataArgs make(Device device, const Place& place) const {
    return {.dx = place(Tensor::zeros({2, 7, 5, 16}), device),
            .dy = place(dy, device),
            .w = place(w, device),
            .geometry = {2, 1}};
  }
  static const Tensor& output(const Conv2dBackwardDataArgs& args) { return args.dx; }
};

template <>
struct Example<Conv2dBackwardFilterArgs> {
  Tensor x = Host(1).normal({2, 7, 5, 16}), dy = Host(2).normal({2, 4, 3, 16});
  Conv2dBackwardFilterArgs make(Device device, const Place& place) const {
    return {.dw = place(Tensor::zeros({16, 3, 3, 16}), device),
            .dy = place(dy, device),
            .x = place(x, device),
            .geometry = {2, 1}};
  }
  static const Tensor& output(const Conv2dBackwardFilterArgs& args) { return args.dw; }
};

template <>
struct Example<FusedConvArgs> {
  Tensor x = Host(1).normal({2, 7, 5, 16}), w = Host(2).normal({32, 3, 3, 16});
  Tensor bias = Host(3).normal({32}), residual = Host(4).normal({4, 4, 3, 16});
  FusedConvArgs make(Device device, const Place& place) const {
    return {.y = place(Tensor::zeros({4, 4, 3, 16}), device),
            .x = place(x, device),
            .w = place(w, device),
            .bias = place(bias, device),
            .residual = place(residual, device),
            .points = 2,
            .geometry = {2, 1},
            .relu = true};
  }
  static const Tensor& output(const FusedConvArgs& args) { return args.y; }
};

Tensor anywhere(const Tensor& values, Device device) {
  return values.clone().to(device);
}

/// Returns the reference's result in f32, its sums in double.
template <class Args>
Tensor expected() {
  Context context;
  context.force_implementation(std::string(Args::kOp), "reference");
  const Args args = Example<Args>().make(Device::cpu, anywhere);
  run_op(args, context);
  return Example<Args>::output(args);
}

template <class Args>
void check_off_by_one() {
  const Tensor exact = expected<Args>();
  for_each_execution<Args>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Args args = Example<Args>().make(implementation.device, off_by_one);
        if (!implementation.supports(args)) return;
        implementation.run(args, context);
        const double error = relative_error(exact, Example<Args>::output(args).to(Device::cpu));
        CHECK_MESSAGE(error <= kTolerance, Args::kOp, " [", implementation.name, " on ",
                      execution.describe(), "], unaligned: off by ", error);
      });
}

/// Runs it unrecorded, recorded, and replayed twice: each result has the bits of the first run.
template <class Args>
void check_recorded() {
  const Tensor exact = expected<Args>();
  for_each_execution<Args>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Args args = Example<Args>().make(implementation.device, anywhere);
        if (!implementation.supports(args)) return;
        const Tensor output = Example<Args>::output(args);
        Recording recording;
        Tensor first;
        for (int run = 0; run < 4; ++run) {
          output.fill_zero();
          recording.run(context, [&] { implementation.run(args, context); });
          const Tensor got = output.to(Device::cpu).clone();
          if (run == 0) first = got;
          CHECK_MESSAGE(std::memcmp(first.raw(), got.raw(), static_cast<size_t>(got.bytes())) == 0,
                        Args::kOp, " [", implementation.name, " on ", execution.describe(),
                        "], run ", run, " differs from the first");
        }
        const double error = relative_error(exact, first);
        CHECK_MESSAGE(error <= kTolerance, Args::kOp, " [", implementation.name, " on ",
                      execution.describe(), "]: off by ", error);
      });
}

}  // namespace

TEST_CASE("implementations: operands need not lie at multiples of more than their type") {
  check_off_by_one<GemmArgs>();
  check_off_by_one<Conv2dForwardArgs>();
  check_off_by_one<Conv2dBackwardDataArgs>();
  check_off_by_one<Conv2dBackwardFilterArgs>();
  check_off_by_one<FusedConvArgs>();
}

TEST_CASE("implementations: recorded and replayed, and in every run the same bits") {
  check_recorded<GemmArgs>();
  check_recorded<Conv2dForwardArgs>();
  check_recorded<Conv2dBackwardDataArgs>();
  check_recorded<Conv2dBackwardFilterArgs>();
  check_recorded<FusedConvArgs>();
}

TEST_CASE("implementations: what cannot be recorded is an Error, and the context goes on working") {
  if (executions_on(Device::cuda).empty()) return;
  Context context(Device::cuda);
  const Tensor host = Host(6).normal({100}), there = host.to(Device::cuda);
  Recording recording;
  const auto work = [&] { there.copy_from(host); };
  recording.run(context, work);  // not recorded yet
  CHECK_THROWS_AS(recording.run(context, work), Error);
  const Tensor copied({100}, DType::f32, Device::cuda);
  copy({.y = copied, .x = there}, context);
  CHECK(relative_error(host, copied.to(Device::cpu)) == 0);
}

TEST_CASE("implementations: a NaN and an infinity go through a fused convolution's ReLU") {
  const Shape shape{4, 6, 6, 16};
  for (bool relu : {false, true})
    for (bool in_place : {false, true})
      check_op<FusedConvArgs>(
          text("fused_conv with a NaN, relu=", relu, " in place=", in_place),
          [&](Operands& o) {
            const Tensor x = Host(5).normal(shape);
            x.data<float>()[x.size() / 2] = std::numeric_limits<float>::quiet_NaN();
            x.data<float>()[x.size() / 8] = std::numeric_limits<float>::infinity();
            const Tensor given = o.given(x.converted(o.real()));
            const Tensor y = in_place ? o.in_out(shape) : o.output(shape);
            return FusedConvArgs{.y = y,
                                 .x = given,
                                 .w = o.normal({32, 3, 3, 16}),
                                 .bias = o.normal({32}),
                                 .residual = in_place ? y : Tensor(),
                                 .points = 2,
                                 .geometry = {1, 1},
                                 .relu = relu};
          },
          kTolerance);
}

TEST_CASE("implementations: a NaN reaches its row of a product and nothing else") {
  for_each_execution<GemmArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor a = Tensor::zeros({3, 4}), b = Tensor::zeros({4, 5});
        a.data<float>()[1 * 4 + 2] = std::nanf("");
        const GemmArgs args{.c = Tensor({3, 5}, DType::f32, implementation.device),
                            .a = a.to(implementation.device),
                            .b = b.to(implementation.device)};
        if (!implementation.supports(args)) return;
        implementation.run(args, context);
        const Tensor c = args.c.to(Device::cpu);
        for (int64_t i = 0; i < c.size(); ++i)
          CHECK_MESSAGE(std::isnan(c.data<float>()[i]) == (i / 5 == 1), implementation.name, " on ",
                        execution.describe());
      });
}
