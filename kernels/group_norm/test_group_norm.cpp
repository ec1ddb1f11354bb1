#include "kernels/group_norm/group_norm.h"

#include "kernels/group_norm/group_norm_tangent.h"
#include "tests/ops/normalisation_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct GroupCase {
  Shape shape;
  int64_t groups;
};

/// No images, three elements, one channel, a group per channel, tails of vectors and warps, more
/// pixels than a sum in float has, vectors, several runs of pixels.
const GroupCase kCases[] = {{{0, 2, 2, 6}, 2}, {{1, 3, 1}, 1},      {{3, 7, 1}, 1},
                            {{5, 3, 2, 6}, 3}, {{2, 5, 3, 34}, 2},  {{1, 9, 7, 33}, 33},
                            {{4, 33}, 3},      {{2, 8, 10, 64}, 4}, {{3, 1, 2, 40}, 1}};

// Sums in float over 32 pixels, of terms of either sign, each rounded to 6e-8 of the partial sum,
// which is of the size of a few terms: some 1e-6 of a group's largest element. A variance near 0
// (two or three elements that happen to lie close) multiplies this by i: at most
// 1 / sqrt(variance) = 10 with these seeds. (A gradient in a group of one element is rounding, and
// so is almost all of one in a group of two, whose standardised values are -1 and 1.)
constexpr double kTolerance = 1e-5;

/// The family of operations, for what it shares with layer_norm.
struct GroupNormOperations {
  using Forward = GroupNormArgs;
  using Backward = GroupNormBackwardArgs;
  using BackwardSums = GroupNormBackwardSumsArgs;
  using Tangent = GroupNormTangentArgs;
  using TangentBackward = GroupNormTangentBackwardArgs;
  using TangentSums = GroupNormTangentSumsArgs;
  int64_t groups;
  template <class Args>
  void complete(Args& args) const {
    args.groups = groups;
  }
};

}  // namespace

TEST_CASE("group_norm: every implementation equals the reference") {
  for (const GroupCase& c : kCases)
    check_normalisation(GroupNormOperations{c.groups}, c.shape, kTolerance);
}

TEST_CASE("group_norm: every implementation of the tangents equals the reference") {
  for (const GroupCase& c : kCases)
    check_normalisation_tangents(GroupNormOperations{c.groups}, c.shape, kTolerance);
}

TEST_CASE("group_norm: a large mean costs no digits") {
  check_normalisation_far_from_zero(GroupNormOperations{4}, {3, 4, 2, 24}, kTolerance);
}

TEST_CASE("group_norm: more groups than a grid has warps") {
  // A GPU's grid has 32,768 warps, the emulator's 24.
  check_many_normalisations(GroupNormOperations{2},
                            {is_available(Device::cuda) ? 17000 : 250, 2, 4}, 1e-5);
}

TEST_CASE("group_norm: gradients and tangents equal central differences") {
  check_normalisation_differences(GroupNormOperations{2}, {2, 3, 6});
}

TEST_CASE("group_norm: in place, forward and backward") {
  check_normalisation_in_place(GroupNormOperations{3}, {2, 5, 36});
}

// As torch.nn.functional.group_norm of PyTorch 1.13 does, in double, of an image [C=4, H=1, W=3]
// with x[c][w] = (5 c + 3 w) mod 7, in 2 groups, weight c + 1, bias c / 10.
TEST_CASE("group_norm: groups are PyTorch's") {
  const Tensor x({1, 1, 3, 4}, DType::f64), gamma({4}, DType::f64), beta({4}, DType::f64);
  for (int64_t i = 0; i < 12; ++i)
    x.data<double>()[i] = static_cast<double>((5 * (i % 4) + 3 * (i / 4)) % 7);
  for (int64_t c = 0; c < 4; ++c) {
    gamma.data<double>()[c] = static_cast<double>(c + 1);
    beta.data<double>()[c] = static_cast<double>(c) / 10;
  }
  const auto check = [&](const GroupNormArgs& args, const std::vector<double>& expected) {
    Context context;
    group_norm(args, context);
    for (int64_t i = 0; i < 12; ++i)
      CHECK(args.y.data<double>()[i] == doctest::Approx(expected[static_cast<size_t>(i)]));
  };
  const Tensor y(x.shape(), DType::f64);
  check({.y = y, .x = x, .gamma = gamma, .beta = beta, .groups = 2, .epsilon = 1e-2},
        {-1.49573845144, 1.83190768062, 0.706441831392, -3.07627887595, -0.0787230763917,
         -1.94679998618, 5.26441831392, 3.00102310076, 1.33829229866, 0.887230763917,
         -0.812883662784, -5.10204620151});
  // torch.nn.functional.instance_norm
  check({.y = y, .x = x, .gamma = {}, .beta = {}, .groups = 4, .epsilon = 1e-3},
        {-1.22464282207, 0.980411003853, -0.392164401541, -0.392164401541, -5.55111512313e-17,
         -1.37257540539, 1.37257540539, 1.37257540539, 1.22464282207, 0.392164401541,
         -0.980411003853, -0.980411003853});
  // torch.nn.functional.layer_norm over the whole image
  check({.y = y, .x = x, .gamma = {}, .beta = {}, .groups = 1, .epsilon = 1e-5},
        {-1.41594677106, 1.01139055076, 0.0404556220304, -0.9304793067, 0.0404556220304,
         -0.9304793067, 1.49685801513, 0.525923086395, 1.49685801513, 0.525923086395,
         -0.445011842335, -1.41594677106});
}

TEST_CASE("group_norm: shapes that disagree are refused") {
  Context context;
  const Tensor x({2, 4, 6}), c({6});
  const auto refuses = [&](const GroupNormArgs& args, const char* message) {
    CHECK_THROWS_WITH_AS(group_norm(args, context), message, Error);
  };
  refuses({.y = Tensor({2, 6, 4}), .x = x, .gamma = c, .beta = c},
          "group_norm: [2x6x4] of f32 beside x, [2x4x6] of f32");
  refuses({.y = x, .x = x, .gamma = c, .beta = c, .groups = 4},
          "group_norm: 6 channels do not make 4 groups");
  refuses({.y = x, .x = x, .gamma = c, .beta = {}},
          "group_norm: some of the parameters are there, and some are not");
  refuses({.y = x, .x = x, .gamma = Tensor({4}), .beta = c},
          "group_norm: [4] of f32 for the 6 channels of x, of f32");
  CHECK_THROWS_AS(group_norm({.y = x, .x = x, .gamma = c, .beta = c, .epsilon = 0}, context),
                  Error);
  const Tensor empty({2, 0, 6});
  CHECK_THROWS_AS(group_norm({.y = empty, .x = empty, .gamma = c, .beta = c}, context), Error);
}
