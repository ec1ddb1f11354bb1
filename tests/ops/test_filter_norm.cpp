#include "kernels/filter_norm/filter_norm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("filter_norm: known norms of segments that overlap, touch, leave gaps or are empty") {
  Context context;
  for (DType dtype : {DType::f32, DType::f64}) {
    Tensor values = Tensor::zeros({7}, DType::f64);
    const double x[] = {3, 4, 12, 0, 84, -2, -1};
    std::copy_n(x, 7, values.data<double>());
    const Segment segments[] = {{0, 2}, {0, 3}, {2, 1}, {7, 0}, {0, 5}, {6, 1}};
    const double expected[] = {5, 13, 12, 0, 85, 1};
    const Tensor norms({6}, DType::f64);
    filter_norms({.norms = norms, .x = values.converted(dtype), .segments = segments, .count = 6},
                 context);
    for (int i = 0; i < 6; ++i) CHECK(norms.data<double>()[i] == expected[i]);
  }
}

TEST_CASE("filter_norm: every row agrees with a sum in long double") {
  const int64_t n = 4603;
  Operands o(11, DType::f32);
  const Tensor x = o.normal({n});
  std::vector<Segment> segments;
  for (int64_t offset = 0, length = 1; offset + length <= n; offset += length, length += 31)
    segments.push_back({offset, length});
  const int64_t count = static_cast<int64_t>(segments.size());
  for (const auto& row : OpRegistry::instance().rows<FilterNormsArgs>()) {
    Context context;
    const Tensor norms({count}, DType::f64);
    const FilterNormsArgs args{.norms = norms, .x = x, .segments = segments.data(), .count = count};
    args.check();
    row.run(args, context);
    o.check_guards("filter_norms");
    for (int64_t i = 0; i < count; ++i) {
      long double sum = 0;
      for (int64_t j = 0; j < segments[i].length; ++j) {
        const long double value = x.data<float>()[segments[i].offset + j];
        sum += value * value;
      }
      CHECK(norms.data<double>()[i] ==
            doctest::Approx(static_cast<double>(std::sqrt(sum))).epsilon(1e-13));
    }
  }
}

TEST_CASE("filter_norm: NaN stays in its segment; no segments is no work") {
  Context context;
  const Tensor x = Tensor::zeros({6});
  x.data<float>()[4] = std::nanf("");
  const Segment segments[] = {{0, 3}, {3, 3}};
  const Tensor norms({2}, DType::f64);
  filter_norms({.norms = norms, .x = x, .segments = segments, .count = 2}, context);
  CHECK(norms.data<double>()[0] == 0);
  CHECK(std::isnan(norms.data<double>()[1]));
  filter_norms({.norms = Tensor({0}, DType::f64), .x = x}, context);
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
