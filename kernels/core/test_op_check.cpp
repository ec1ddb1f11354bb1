// The harness itself: what it lets pass, and how it complains about the rest.
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Returns a 2x3 tensor of halves from 0.5 to 3, with one element replaced.
Tensor halves(int64_t index = 0, float value = 0.5F) {
  const Tensor t({2, 3});
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = 0.5F * static_cast<float>(i + 1);
  t.data<float>()[index] = value;
  return t;
}

const float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("op_check: a difference is a share of the largest expected magnitude") {
  CHECK(relative_error(halves(), halves()) == 0);
  CHECK(relative_error(halves(), halves(1, 1.75F)) == 0.25);
  CHECK(complaint_about(halves(), halves(1, 1.75F), 0.25) == "");
  CHECK(complaint_about(halves(), halves(4, 1), 0.25) ==
        "[1, 1] of [2x3] is 1, expected 2.5: off by 0.5 of the largest expected magnitude 3, "
        "allowed 0.25");
}

TEST_CASE("op_check: NaN and infinities must be where they are expected, and nowhere else") {
  const float nan = std::nanf("");
  for (float special : {nan, kInfinity, -kInfinity}) {
    CHECK(complaint_about(halves(5, special), halves(5, special), 0) == "");
    CHECK(complaint_about(halves(5, special), halves(), 1e30) != "");
    CHECK(complaint_about(halves(), halves(5, special), 1e30) != "");
  }
  CHECK(complaint_about(halves(5, kInfinity), halves(5, -kInfinity), 1e30) != "");
  CHECK(complaint_about(halves(5, kInfinity), halves(5, nan), 1e30) != "");
  CHECK(complaint_about(halves(), halves(5, nan), 1e30) ==
        "[1, 2] of [2x3] is NaN, expected 3: off by inf of the largest expected magnitude 3, "
        "allowed 1e+30");
  CHECK(complaint_about(halves(), halves(), std::nan("")) != "");  // a tolerance of NaN allows none
}

TEST_CASE("op_check: integers must be equal") {
  const Tensor expected({2}, DType::i32), got({2}, DType::i32);
  for (int32_t i : {0, 1}) expected.data<int32_t>()[i] = got.data<int32_t>()[i] = 1'000'000'000 + i;
  CHECK(complaint_about(expected, got, 1) == "");
  got.data<int32_t>()[1] += 1;
  CHECK(complaint_about(expected, got, 1) == "[1] of [2] is 1000000002, expected 1000000001");
}
