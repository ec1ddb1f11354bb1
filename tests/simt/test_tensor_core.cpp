// mma, ldmatrix and asynchronous copies against plain loops and the PTX ISA's tables.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/simt/schedule.h"
#include "tests/simt/device_buffer.h"
#include "tests/simt/device_functions.h"

using namespace topograd;
using namespace topograd::simt;
using namespace topograd::simt::test;

namespace {

/// Whole numbers of at most `magnitude`: their products and sums are exact in every order.
std::vector<float> whole_numbers(size_t size, int magnitude, unsigned seed) {
  std::vector<float> result(size);
  for (float& value : result) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(seed >> 16) % (2 * magnitude + 1) - magnitude);
  }
  return result;
}

std::vector<float> product(const std::vector<float>& A, const std::vector<float>& B,
                           const std::vector<float>& C) {
  std::vector<float> D(16 * 8);
  for (size_t m = 0; m < 16; ++m)
    for (size_t n = 0; n < 8; ++n) {
      double sum = C[8 * m + n];
      for (size_t k = 0; k < 16; ++k) sum += double{A[16 * m + k]} * B[8 * k + n];
      D[8 * m + n] = static_cast<float>(sum);
    }
  return D;
}

}  // namespace

TEST_CASE(
    "mma_m16n8k16: a matrix product, with fragments laid out by PTX's tables and by ldmatrix") {
  Context context(Device::simt);
  for (unsigned seed = 0; seed < 5; ++seed) {
    set_schedule_seed(seed);
    const std::vector<float> A = whole_numbers(256, 100, 3 * seed);
    const std::vector<float> B = whole_numbers(128, 100, 3 * seed + 1);
    const std::vector<float> C = whole_numbers(128, 1000, 3 * seed + 2);
    const std::vector<float> expected = product(A, B, C);
    CHECK(mma_by_tables(A, B, C, context) == expected);
    CHECK(mma_by_ldmatrix(A, B, C, context) == expected);
  }
  set_schedule_seed(0);
}

TEST_CASE("ldmatrix: each lane receives the elements that PTX says") {
  Context context(Device::simt);
  const auto element = [](uint32_t n, uint32_t row, uint32_t column) {
    return 64 * n + 8 * row + column;
  };
  const std::vector<uint32_t> straight = ldmatrix_registers(context);
  const std::vector<uint32_t> transposed = ldmatrix_trans_registers(context);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t row = lane / 4;
    const uint32_t pair = lane % 4 * 2;
    for (uint32_t n = 0; n < 4; ++n)
      CHECK(straight[4 * lane + n] == (element(n, row, pair) | element(n, row, pair + 1) << 16));
    for (uint32_t n = 0; n < 2; ++n)
      CHECK(transposed[4 * lane + n] == (element(n, pair, row) | element(n, pair + 1, row) << 16));
  }
}

TEST_CASE("copy_async_16: whole pieces, zeros where not valid, group by group") {
  Context context(Device::simt);
  for (unsigned seed = 0; seed < 5; ++seed) {
    set_schedule_seed(seed);
    const std::vector<float> in = counting<float>(512, 1);
    std::vector<float> expected = in;
    for (size_t i = 0; i < expected.size(); ++i)
      if (i / 4 % 3 == 0) expected[i] = 0;
    CHECK(copied_asynchronously(in, context) == expected);
  }
  set_schedule_seed(0);
}

TEST_CASE("copy_async_16: in the natural schedule nothing arrives before its wait") {
  Context context(Device::simt);
  if (race_checker_present()) {
    // Looking before the wait is what the checker is there to report.
    CHECK_THROWS_WITH_AS(copy_progress(context),
                         doctest::Contains("missing copy_async_wait: thread 0"), Error);
    return;
  }
  set_schedule_seed(0);
  CHECK(copy_progress(context) == std::vector<float>{-1, -1, 5});
  bool early = false;
  bool late = false;
  for (unsigned seed = 1; seed < 20; ++seed) {
    set_schedule_seed(seed);
    const std::vector<float> seen = copy_progress(context);
    CHECK(seen[2] == 5);
    (seen[0] == 5 ? early : late) = true;
  }
  CHECK(early);
  CHECK(late);
  set_schedule_seed(0);
}
