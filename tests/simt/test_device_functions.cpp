// Shuffles, votes, reductions and atomic operations compute what the PTX ISA and CUDA's programming
// guide say, for warps and blocks of any size.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "kernels/simt/schedule.h"
#include "tests/simt/device_functions.h"

using namespace topograd;
using namespace topograd::simt;
using namespace topograd::simt::test;

namespace {

/// The lane that shfl.sync reads: the pseudo-code of the PTX ISA (9.7.9.6), with the operands that
/// CUDA's intrinsics pass for a width.
int source_lane(Shuffle mode, int lane, int b, int width) {
  const int segment_mask = 32 - width;
  const int clamp = mode == Shuffle::up ? 0 : 0x1f;
  const int max_lane = (lane & segment_mask) | (clamp & ~segment_mask);
  const int min_lane = lane & segment_mask;
  int j = 0;
  bool inside = true;
  switch (mode) {
    case Shuffle::up:
      j = lane - b;
      inside = j >= max_lane;
      break;
    case Shuffle::down:
      j = lane + b;
      inside = j <= max_lane;
      break;
    case Shuffle::exclusive_or:
      j = lane ^ b;
      inside = j <= max_lane;
      break;
    case Shuffle::index:
      j = min_lane | (b & ~segment_mask & 0x1f);
      inside = j <= max_lane;
      break;
  }
  return inside ? j : lane;
}

}  // namespace

TEST_CASE("shuffles: every mode, distance and width reads the lane that PTX says") {
  Context context(Device::simt);
  for (Shuffle mode : {Shuffle::index, Shuffle::up, Shuffle::down, Shuffle::exclusive_or})
    for (int width : {1, 2, 4, 8, 16, 32})
      for (int parameter : {0, 1, 2, 3, 5, 8, 16, 17, 31}) {
        CAPTURE(static_cast<int>(mode));
        CAPTURE(width);
        CAPTURE(parameter);
        const std::vector<int> out = shuffled(mode, parameter, width, 96, context);
        for (int t = 0; t < 96; ++t)
          REQUIRE(out[static_cast<size_t>(t)] ==
                  t / 32 * 32 + source_lane(mode, t % 32, parameter, width));
      }
}

TEST_CASE("shuffles: 8-byte values, and a last warp that is not full") {
  Context context(Device::simt);
  for (int threads : {2, 32, 34, 98}) {
    const std::vector<double> out = shuffled_doubles(1, threads, context);
    for (int t = 0; t < threads; ++t) REQUIRE(out[static_cast<size_t>(t)] == 0.5 + (t ^ 1));
  }
}

TEST_CASE("votes and reductions: over what exists of a warp, and over a block") {
  Context context(Device::simt);
  for (int threads : {1, 2, 31, 32, 33, 97, 256, 1023, 1024})
    for (int modulus : {1, 2, 7, 1000}) {
      CAPTURE(threads);
      CAPTURE(modulus);
      const std::vector<Votes> out = votes(modulus, threads, context);
      const int holding = (threads + modulus - 1) / modulus;
      for (int t = 0; t < threads; ++t) {
        Votes expected{0, 0, 1, 0, 3000, -3000, 0, holding, holding == threads, 1};
        for (int u = t / 32 * 32; u < std::min(threads, t / 32 * 32 + 32); ++u) {
          const bool predicate = u % modulus == 0;
          expected.ballot |= static_cast<unsigned>(predicate) << u % 32;
          expected.any |= predicate;
          expected.all &= predicate;
          expected.sum += 3 * u - 50;
          expected.minimum = std::min(expected.minimum, 3 * u - 50);
          expected.maximum = std::max(expected.maximum, 3 * u - 50);
          expected.unsigned_sum += 0x80000000u + static_cast<unsigned>(u);
        }
        const Votes& v = out[static_cast<size_t>(t)];
        REQUIRE(v.ballot == expected.ballot);
        REQUIRE(v.any == expected.any);
        REQUIRE(v.all == expected.all);
        REQUIRE(v.sum == expected.sum);
        REQUIRE(v.minimum == expected.minimum);
        REQUIRE(v.maximum == expected.maximum);
        REQUIRE(v.unsigned_sum == expected.unsigned_sum);
        REQUIRE(v.block_count == expected.block_count);
        REQUIRE(v.block_and == expected.block_and);
        REQUIRE(v.block_or == expected.block_or);
      }
    }
}

TEST_CASE("atomic operations: nothing is lost between threads and blocks") {
  Context context(Device::simt);
  for (unsigned seed : {0u, 1u, 2u}) {
    set_schedule_seed(seed);
    const int n = 7 * 33;
    const AtomicResults out = atomics(7, 33, context);
    const int sum = n * (n + 1) / 2;
    CHECK(out.sum == sum);
    CHECK(out.maximum == n);
    CHECK(out.minimum == -n);
    CHECK(out.long_sum == static_cast<unsigned long long>(sum) << 32);
    CHECK(out.double_sum == 0.5 * sum);
    CHECK(out.float_sum == static_cast<float>(sum));
    CHECK(out.exchanged_total == sum);
  }
  set_schedule_seed(0);
}

TEST_CASE("schedules: natural order is natural, and seeds differ, favour warps, and repeat") {
  Context context(Device::simt);
  std::vector<int> natural(256);
  std::iota(natural.begin(), natural.end(), 0);
  // The last thread to arrive at a barrier goes on first; then the others, in order.
  std::rotate(natural.begin(), natural.begin() + 1, natural.end());
  set_schedule_seed(0);
  const std::vector<int> order = running_order(256, context);
  CHECK(order == natural);

  std::set<std::vector<int>> orders;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    set_schedule_seed(seed);
    orders.insert(running_order(256, context));
    set_schedule_seed(seed);
    CHECK(orders.contains(running_order(256, context)));
  }
  CHECK(orders.size() == 20);

  // A warp with a high priority runs before others: its 32 threads' places are neighbours, but for
  // the thread that arrived last.
  const std::vector<int>& one = *orders.begin();
  int largest_spread = 0;
  for (size_t warp = 0; warp < 8; ++warp) {
    std::vector<int> places(one.begin() + static_cast<std::ptrdiff_t>(32 * warp),
                            one.begin() + static_cast<std::ptrdiff_t>(32 * warp + 32));
    std::sort(places.begin(), places.end());
    largest_spread = std::max(largest_spread, places[31] - places[1]);
  }
  CHECK(largest_spread <= 31);
  set_schedule_seed(0);
}
