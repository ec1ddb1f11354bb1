#include "kernels/filter_norm/filter_norm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

Tensor norms_of(const Tensor& x, const std::vector<Segment>& segments,
                const Implementation<FilterNormsArgs>& implementation, Context& context) {
  const int64_t count = static_cast<int64_t>(segments.size());
  Operands o(1, x.dtype(), implementation.device);
  const FilterNormsArgs args{.norms = o.exact_output({count}),
                             .x = o.given(x),
                             .segments = segments.data(),
                             .count = count};
  args.check();
  REQUIRE(implementation.supports(args));
  implementation.run(args, context);
  o.check_guards(std::string(implementation.name));
  return args.norms.to(Device::cpu).clone();  // o owns the memory of args
}

}  // namespace

TEST_CASE("filter_norm: known norms of segments that overlap, touch, leave gaps or are empty") {
  const Tensor values({7}, DType::f64);
  const double x[] = {3, 4, 12, 0, 84, -2, -1};
  std::copy_n(x, 7, values.data<double>());
  const std::vector<Segment> segments = {{0, 2}, {0, 3}, {2, 1}, {7, 0}, {0, 5}, {6, 1}};
  const double expected[] = {5, 13, 12, 0, 85, 1};
  for_each_execution<FilterNormsArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        for (DType dtype : {DType::f32, DType::f64}) {
          if (dtype == DType::f64 && implementation.name != "reference") continue;
          const Tensor norms = norms_of(values.converted(dtype), segments, implementation, context);
          for (int i = 0; i < 6; ++i)
            CHECK_MESSAGE(norms.data<double>()[i] == expected[i], implementation.name, " on ",
                          execution.describe(), ", segment ", i);
        }
      });
}

TEST_CASE(
    "filter_norm: every implementation agrees with a sum in long double, and with the others to "
    "the bit") {
  // Segments below one lane's share up to some blocks of dot's order, with tails; more of them than
  // one block of threads, and than the warps of a small grid.
  const int64_t n = 27'000;
  Operands o(11, DType::f32);
  const Tensor x = o.normal({n});
  std::vector<Segment> segments;
  for (int64_t offset = 0, length = 1; offset + length <= n; offset += length, length += 31)
    segments.push_back({offset, length});
  for (int64_t length : {4095, 4096, 4097, 8192, 12'289, 26'999})
    segments.push_back({n - length, length});
  for (int64_t i = 0; i < 400; ++i) segments.push_back({7 * i, i % 41});
  Tensor first;
  for_each_execution<FilterNormsArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor norms = norms_of(x, segments, implementation, context);
        if (!first.defined()) first = norms;
        const bool same =
            std::memcmp(first.raw(), norms.raw(), static_cast<size_t>(norms.bytes())) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      });
  for (size_t i = 0; i < segments.size(); ++i) {
    long double sum = 0;
    for (int64_t j = 0; j < segments[i].length; ++j) {
      const long double value = x.data<float>()[segments[i].offset + j];
      sum += value * value;
    }
    CHECK(first.data<double>()[i] ==
          doctest::Approx(static_cast<double>(std::sqrt(sum))).epsilon(1e-13));
  }
}

TEST_CASE("filter_norm: NaN stays in its segment; no segments is no work") {
  const Tensor x = Tensor::zeros({6});
  x.data<float>()[4] = std::nanf("");
  for_each_execution<FilterNormsArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        const Tensor norms = norms_of(x, {{0, 3}, {3, 3}}, implementation, context);
        CHECK(norms.data<double>()[0] == 0);
        CHECK(std::isnan(norms.data<double>()[1]));
        norms_of(x, {}, implementation, context);
        norms_of(x, {{6, 0}}, implementation, context);
      });
}

TEST_CASE("filter_norm: a segment outside the vector is refused") {
  Context context;
  const Tensor x = Tensor::zeros({6});
  for (const Segment& bad : {Segment{4, 3}, Segment{-1, 2}, Segment{0, -1}, Segment{7, 0}})
    CHECK_THROWS_AS(
        filter_norms({.norms = Tensor({1}, DType::f64), .x = x, .segments = &bad, .count = 1},
                     context),
        Error);
  const Segment good{0, 6};
  CHECK_THROWS_WITH_AS(
      filter_norms({.norms = Tensor({1}), .x = x, .segments = &good, .count = 1}, context),
      "filter_norms: norms must be [1] of f64, got [1] of f32", Error);
}
