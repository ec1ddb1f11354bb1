// Launching: sizes, numbering, errors that leave the emulator usable, several host threads.
#include <doctest/doctest.h>

#include <thread>

#include "kernels/simt/schedule.h"
#include "tests/simt/child_process.h"
#include "tests/simt/launches.h"

using namespace topograd;
using namespace topograd::simt::test;

TEST_CASE("launch: every thread of every block runs once") {
  Context context(Device::simt);
  CHECK(count_threads({1, 1, 1}, {1, 1, 1}, 0, context) == 1);
  CHECK(count_threads({7, 1, 1}, {33, 1, 1}, 16, context) == 7 * 33);
  CHECK(count_threads({2, 3, 5}, {4, 5, 6}, 0, context) == 30 * 120);
  CHECK(count_threads({3, 1, 1}, {1024, 1, 1}, 227 * 1024, context) == 3 * 1024);
}

TEST_CASE("launch: blocks and threads are numbered as CUDA does") {
  Context context(Device::simt);
  for (unsigned seed : {0u, 1u, 2u}) {
    simt::set_schedule_seed(seed);
    CHECK(coordinates_are_right(context));
  }
  simt::set_schedule_seed(0);
}

TEST_CASE("launch: sizes that a GPU would refuse") {
  Context context(Device::simt);
  CHECK_THROWS_WITH_AS(count_threads({1, 1, 1}, {1025, 1, 1}, 0, context),
                       "launching a kernel: a block of (1025, 1, 1) is not 1 to 1024 threads",
                       Error);
  CHECK_THROWS_AS(count_threads({1, 1, 1}, {32, 33, 1}, 0, context), Error);
  CHECK_THROWS_AS(count_threads({1, 1, 1}, {1, 1, 65}, 0, context), Error);
  CHECK_THROWS_AS(count_threads({1, 1, 1}, {0, 1, 1}, 0, context), Error);
  CHECK_THROWS_AS(count_threads({1, 1, 1}, {65536, 65536, 1}, 0, context), Error);
  CHECK_THROWS_WITH_AS(count_threads({0, 1, 1}, {32, 1, 1}, 0, context),
                       "launching a kernel: a grid of (0, 1, 1) is empty or too large", Error);
  CHECK_THROWS_AS(count_threads({1, 65536, 1}, {1, 1, 1}, 0, context), Error);
  CHECK_THROWS_WITH_AS(count_threads({1, 1, 1}, {1, 1, 1}, 227 * 1024 + 1, context),
                       "launching a kernel: 232449 bytes of shared memory; a block can have 232448",
                       Error);
}

TEST_CASE("launch: what goes wrong in a kernel ends the launch, and the next one works") {
  Context context(Device::simt);
  for (unsigned seed : {0u, 3u}) {
    simt::set_schedule_seed(seed);
    // Contains: the race checker adds that a thread wrote the host's memory, the message itself.
    CHECK_THROWS_WITH_AS(launch_from_inside(context),
                         doctest::Contains("launching a kernel from inside a kernel"), Error);
    CHECK(sum_of_counts(3, context) == 3 * 8 * 32);
    CHECK_THROWS_WITH_AS(allocate_from_inside(context),
                         doctest::Contains("allocating device memory from inside a kernel"), Error);
    CHECK(sum_of_counts(3, context) == 3 * 8 * 32);
    CHECK_THROWS_WITH_AS(throw_after_barrier(context), "thread 40 gives up", Error);
    CHECK(sum_of_counts(3, context) == 3 * 8 * 32);
    CHECK_THROWS_AS(throw_not_an_exception(context), Error);
    CHECK_THROWS_WITH_AS(wait_in_1023_of_1024(context),
                         doctest::Contains("1 thread (1000) returned"), Error);
    CHECK(sum_of_counts(3, context) == 3 * 8 * 32);
  }
  simt::set_schedule_seed(0);
}

TEST_CASE("launch: parameters are each thread's own") {
  Context context(Device::simt);
  CHECK(changed_parameter(context) == 42);
}

TEST_CASE("launch: a stack that overflows stops the program, and nothing else is overwritten") {
  const std::string end = run_in_child([] {
    Context context(Device::simt);
    overflow_the_stack(context);
    return std::string("survived");
  });
  CHECK(end != "survived");
  CHECK(end != "");
}

TEST_CASE("launch: several host threads take turns") {
  std::vector<std::thread> threads;
  std::vector<float> sums(4);
  for (size_t i = 0; i < sums.size(); ++i)
    threads.emplace_back([&sums, i] {
      Context context(Device::simt);
      for (int k = 0; k < 20; ++k) {
        sums[i] += sum_of_counts(static_cast<int>(i) + 1, context);
        CHECK_THROWS_AS(throw_after_barrier(context), Error);
        CHECK(host_containers() == 312);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < sums.size(); ++i)
    CHECK(sums[i] == 20.0f * 256.0f * static_cast<float>(i + 1));
}
