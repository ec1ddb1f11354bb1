#include "kernels/perturb/perturb.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("perturb: every implementation equals the reference, with and without each direction") {
  for (int64_t n : {0, 1, 7, 8, 31, 33, 1009})
    for (bool has_delta : {false, true})
      for (bool has_eta : {false, true})
        check_op<PerturbArgs>(
            text("perturb n=", n, " delta=", has_delta, " eta=", has_eta),
            [&](Operands& o) {
              return PerturbArgs{.w = o.output({n}),
                                 .theta = o.normal({n}),
                                 .delta = has_delta ? o.normal({n}) : Tensor(),
                                 .eta = has_eta ? o.normal({n}) : Tensor(),
                                 .a = 0.731,
                                 .b = -0.29};
            },
            1e-7);  // double inside, rounded to float once
}

TEST_CASE("perturb: all implementations give the same bits") {
  const int64_t n = 10007;
  Operands o(3, DType::f32);
  const Tensor theta = o.normal({n}), delta = o.normal({n}), eta = o.normal({n});
  // 1/3 and friends: products that a fused multiply-add would round otherwise.
  for (const std::pair<double, double>& factors :
       {std::pair(1.0 / 3, -1.0 / 7), std::pair(1e-9, 1e7), std::pair(0.0, 0.0)})
    for (int terms = 0; terms < 4; ++terms) {
      std::vector<Tensor> results;
      for_each_execution<PerturbArgs>(
          [&](const auto& implementation, const Execution& execution, Context& context) {
            const Tensor w({n}, DType::f32, implementation.device);
            implementation.run({.w = w,
                                .theta = theta.to(implementation.device),
                                .delta = terms & 1 ? delta.to(implementation.device) : Tensor(),
                                .eta = terms & 2 ? eta.to(implementation.device) : Tensor(),
                                .a = factors.first,
                                .b = factors.second},
                               context);
            results.push_back(w.to(Device::cpu));
            const bool same =
                std::memcmp(results[0].raw(), results.back().raw(), n * sizeof(float)) == 0;
            CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
          });
      CHECK(!results.empty());
      for (int64_t i = 0; i < n; ++i) {
        // volatile keeps this compiler from fusing, too.
        volatile double first = factors.first * static_cast<double>(delta.data<float>()[i]);
        volatile double second = factors.second * static_cast<double>(eta.data<float>()[i]);
        double sum = theta.data<float>()[i];
        if (terms & 1) sum += first;
        if (terms & 2) sum += second;
        REQUIRE(results[0].data<float>()[i] == static_cast<float>(sum));
      }
    }
}

TEST_CASE("perturb: w may be any of the vectors it is made of") {
  for (int64_t n : {33, 1009})
    for (int place = 0; place < 4; ++place)
      check_op<PerturbArgs>(
          text("perturb in place of ", place, " n=", n),
          [&](Operands& o) {
            const Tensor w = o.in_out({n});
            return PerturbArgs{.w = w,
                               .theta = place == 0 || place == 3 ? w : o.normal({n}),
                               .delta = place == 1 || place == 3 ? w : o.normal({n}),
                               .eta = place == 2 || place == 3 ? w : o.normal({n}),
                               .a = 0.731,
                               .b = -0.29};
          },
          1e-7);
}

TEST_CASE("perturb: NaN stays where it is") {
  const Tensor theta = Tensor::zeros({40}), delta = Tensor::zeros({40});
  delta.data<float>()[0] = 1;
  delta.data<float>()[17] = delta.data<float>()[39] = std::nanf("");
  for_each_execution<PerturbArgs>([&](const auto& implementation, const Execution& execution,
                                      Context& context) {
    const Tensor there = theta.clone().to(implementation.device);
    implementation.run(
        {.w = there, .theta = there, .delta = delta.to(implementation.device), .a = 2}, context);
    const Tensor w = there.to(Device::cpu);
    CHECK(w.data<float>()[0] == 2);
    for (int64_t i = 1; i < 40; ++i)
      CHECK_MESSAGE(std::isnan(w.data<float>()[i]) == (i == 17 || i == 39), implementation.name,
                    " on ", execution.describe(), ", element ", i);
  });
}

TEST_CASE("perturb: vectors that disagree are refused") {
  Context context;
  const Tensor w({3});
  CHECK_THROWS_WITH_AS(perturb({.w = w, .theta = Tensor({4})}, context),
                       "perturb: theta [4] of f32 must be like w [3] of f32", Error);
  CHECK_THROWS_AS(perturb({.w = w, .theta = w, .delta = Tensor({2})}, context), Error);
  CHECK_THROWS_AS(perturb({.w = w, .theta = w, .eta = Tensor({3}, DType::f64)}, context), Error);
}
