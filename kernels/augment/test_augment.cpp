#include "kernels/augment/augment.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr double kMean[] = {0.491, 0.482, 0.447, 0.5, 0.1, 0.2, 0.3, 0.4, 0.5,
                            0.6,   0.7,   0.8,   0.9, 0.0, 1.0, 0.5, 0.4};
constexpr double kStd[] = {0.247, 0.243, 0.262, 0.25, 0.1, 0.2, 0.3, 0.4, 0.5,
                           0.6,   0.7,   0.8,   0.9,  1.0, 1.1, 1.2, 0.4};

}  // namespace

TEST_CASE("augment: every implementation equals the reference, with and without crops and flips") {
  struct Case {
    int64_t N, H, W, C;
    int padding;
  };
  // Paddings up to and beyond the image, so that whole images fall outside.
  const Case cases[] = {{0, 4, 4, 3, 1},  {1, 1, 1, 1, 0},  {7, 32, 32, 3, 4},
                        {5, 5, 3, 4, 2},  {31, 3, 5, 1, 7}, {3, 4, 4, 3, 0},
                        {2, 3, 3, 16, 1}, {2, 3, 3, 17, 1}, {2, 41, 43, 5, 3}};
  for (const auto& [N, H, W, C, padding] : cases)
    for (int choice = 0; choice < 8; ++choice) {
      const bool crop = choice & 1, flip = choice & 2, bytes = choice & 4;
      check_op<AugmentArgs>(
          text("augment N=", N, " H=", H, " W=", W, " C=", C, " padding=", padding, " crop=", crop,
               " flip=", flip, " bytes=", bytes),
          [&, N = N, H = H, W = W, C = C, padding = padding](Operands& o) {
            AugmentArgs args{
                .y = o.output({N, H, W, C}),
                .images = bytes ? o.integers({6, H, W, C}, 256, DType::u8) : o.normal({6, H, W, C}),
                .indices = o.integers({N}, 6)};
            const auto positions = static_cast<uint32_t>(2 * padding + 1);
            if (crop) args.offsets = o.integers({N, 2}, positions);
            if (flip) args.flips = o.integers({N}, 2);
            args.padding = padding;
            args.mean = kMean;
            args.std = kStd;
            return args;
          },
          1e-7);  // double inside, rounded to float once
    }
}

TEST_CASE("augment: crop first, then mirror the crop, black where the crop leaves the image") {
  const Tensor images({1, 2, 3, 1}, DType::u8);
  for (int i = 0; i < 6; ++i) images.data<uint8_t>()[i] = static_cast<uint8_t>(i + 1);
  const Tensor indices = Tensor::zeros({1}, DType::i32), flips({1}, DType::i32);
  const Tensor offsets({1, 2}, DType::i32);
  offsets.data<int32_t>()[0] = 0;  // one row up: the first row is black
  offsets.data<int32_t>()[1] = 2;  // one column to the right: the last column is black
  const double mean[] = {1.0 / 255};
  const double std[] = {1.0 / 255};  // y = pixel - 1
  const float plain[] = {-1, -1, -1, 1, 2, -1};
  const float mirrored[] = {-1, -1, -1, -1, 2, 1};
  for (int flip : {0, 1})
    for_each_execution<AugmentArgs>([&](const auto& implementation, const Execution& execution,
                                        Context& context) {
      CAPTURE(text(implementation.name, " on ", execution.describe()));
      flips.data<int32_t>()[0] = flip;
      const Tensor there({1, 2, 3, 1}, DType::f32, implementation.device);
      implementation.run({.y = there,
                          .images = images.to(implementation.device),
                          .indices = indices.to(implementation.device),
                          .offsets = offsets.to(implementation.device),
                          .flips = flips.to(implementation.device),
                          .padding = 1,
                          .mean = mean,
                          .std = std},
                         context);
      const Tensor y = there.to(Device::cpu);
      for (int i = 0; i < 6; ++i)
        CHECK(y.data<float>()[i] == doctest::Approx((flip ? mirrored : plain)[i]).epsilon(1e-6));
    });
}

TEST_CASE("augment: all implementations give the same bits") {
  Operands o(9, DType::f32);
  const Tensor images = o.integers({3, 16, 16, 3}, 256, DType::u8);
  const Tensor indices = o.integers({5}, 3);
  std::vector<Tensor> results;
  for_each_execution<AugmentArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor y({5, 16, 16, 3}, DType::f32, implementation.device);
        implementation.run({.y = y,
                            .images = images.to(implementation.device),
                            .indices = indices.to(implementation.device),
                            .mean = kMean,
                            .std = kStd},
                           context);
        results.push_back(y.to(Device::cpu));
        const bool same = std::memcmp(results[0].raw(), results.back().raw(),
                                      static_cast<size_t>(results[0].bytes())) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      });
}

TEST_CASE("augment: more elements, and more images, than a grid takes at once") {
  for (const Shape& y : {Shape{2, 420, 421, 3}, Shape{4100, 1, 2, 1}})
    check_op<AugmentArgs>(
        text("augment ", y),
        [&](Operands& o) {
          AugmentArgs args{.y = o.output(y),
                           .images = o.integers(y.with_first(1), 256, DType::u8),
                           .indices = o.integers({y[0]}, 1)};
          args.mean = kMean;
          args.std = kStd;
          return args;
        },
        1e-7);
}

TEST_CASE("augment: on a device, an image that is not there is NaN, all of it") {
  const int32_t chosen[] = {0, 3, 2, -1};  // of three
  const Tensor images = Tensor::zeros({3, 4, 4, 2}, DType::u8), indices({4}, DType::i32);
  std::copy_n(chosen, 4, indices.data<int32_t>());
  const Tensor offsets = Tensor::zeros({4, 2}, DType::i32);  // a part of it is border
  for_each_execution<AugmentArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (implementation.device == Device::cpu) return;
        CAPTURE(text(implementation.name, " on ", execution.describe()));
        const Tensor there({4, 4, 4, 2}, DType::f32, implementation.device);
        implementation.run({.y = there,
                            .images = images.to(implementation.device),
                            .indices = indices.to(implementation.device),
                            .offsets = offsets.to(implementation.device),
                            .padding = 1,
                            .mean = kMean,
                            .std = kStd},
                           context);
        const Tensor y = there.to(Device::cpu);
        for (int64_t i = 0; i < y.size(); ++i)
          CHECK(std::isnan(y.data<float>()[i]) == (i / 32 == 1 || i / 32 == 3));
      });
}

TEST_CASE("augment: indices, offsets, flips and statistics out of range are refused") {
  Context context;
  const auto run = [&](auto change) {
    AugmentArgs args{.y = Tensor({2, 4, 4, 1}),
                     .images = Tensor::zeros({3, 4, 4, 1}, DType::u8),
                     .indices = Tensor::zeros({2}, DType::i32),
                     .offsets = Tensor::zeros({2, 2}, DType::i32),
                     .flips = Tensor::zeros({2}, DType::i32),
                     .padding = 2,
                     .mean = kMean,
                     .std = kStd};
    change(args);
    augment(args, context);
  };
  run([](AugmentArgs&) {});
  CHECK_THROWS_WITH_AS(run([](AugmentArgs& a) { a.indices.data<int32_t>()[1] = 3; }),
                       "augment: indices has 3 at 1, not in [0, 3); it must name a stored image",
                       Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.offsets.data<int32_t>()[3] = 5; }), Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.offsets.data<int32_t>()[0] = -1; }), Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.flips.data<int32_t>()[0] = 2; }), Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.padding = -1; }), Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.mean = nullptr; }), Error);
  CHECK_THROWS_AS(run([](AugmentArgs& a) { a.y = Tensor({2, 4, 5, 1}); }), Error);
  const double zero[] = {0.0};
  CHECK_THROWS_AS(run([&](AugmentArgs& a) { a.std = zero; }), Error);
}
