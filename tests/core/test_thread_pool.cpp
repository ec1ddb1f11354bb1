#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kernels/core/thread_pool.h"

using namespace topograd;

TEST_CASE("thread pool: every item runs once, for any number of threads and items") {
  for (int threads : {1, 2, 3, 8})
    for (int64_t count : {0, 1, 2, 7, 1000}) {
      ThreadPool pool(threads);
      CHECK(pool.threads() == threads);
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      for (int repeat = 1; repeat <= 3; ++repeat) {
        pool.for_each(count, [&](int64_t i, Context&) { ++runs[static_cast<size_t>(i)]; });
        for (const auto& n : runs) REQUIRE(n == repeat);
      }
    }
}

TEST_CASE(
    "thread pool: no number of threads means one per usable processor; a negative is refused") {
  CHECK(ThreadPool().threads() >= 1);
  CHECK_THROWS_WITH_AS(ThreadPool(-1), "the number of threads is negative: -1", Error);
}

TEST_CASE("thread pool: what items wrote is seen when for_each returns") {
  ThreadPool pool(4);
  std::vector<int64_t> values(4096);  // plain memory: for_each is what orders it
  for (int64_t round = 0; round < 50; ++round) {
    pool.for_each(4096, [&](int64_t i, Context&) { values[static_cast<size_t>(i)] += i; });
    for (int64_t i = 0; i < 4096; ++i) REQUIRE(values[static_cast<size_t>(i)] == (round + 1) * i);
  }
}

TEST_CASE("thread pool: a worker index names one thread, and one context") {
  const int threads = 4;
  ThreadPool pool(threads);
  // Items that wait until each thread has one: every thread of the pool takes part.
  std::atomic<int> arrived{0};
  std::vector<std::thread::id> ids(threads);
  std::vector<Context*> contexts(threads, nullptr);
  pool.for_each(threads, [&](int64_t, Context& context) {
    const size_t worker = static_cast<size_t>(context.worker());
    ids[worker] = std::this_thread::get_id();
    contexts[worker] = &context;
    ++arrived;
    while (arrived < threads) std::this_thread::yield();
  });
  for (size_t i = 0; i < ids.size(); ++i) {
    REQUIRE(contexts[i] != nullptr);
    for (size_t j = 0; j < i; ++j) CHECK((ids[i] != ids[j] && contexts[i] != contexts[j]));
  }
  CHECK(ids[0] == std::this_thread::get_id());
  CHECK(contexts[0] == &pool.main_context());
  pool.for_each(100, [&](int64_t, Context& context) {
    const size_t worker = static_cast<size_t>(context.worker());
    if (ids[worker] != std::this_thread::get_id() || contexts[worker] != &context)
      throw std::runtime_error("a thread changed its context");
  });
}

TEST_CASE("thread pool: an exception reaches the caller, skips the rest and spares the pool") {
  for (int threads : {1, 2, 8}) {
    ThreadPool pool(threads);
    const int64_t count = 1000000;
    std::atomic<int64_t> begun{0};
    const auto failing = [&](int64_t i, Context&) {
      ++begun;
      if (i == 5) fail("item ", i, " is broken");
      if (i > 5) std::this_thread::yield();
    };
    CHECK_THROWS_WITH_AS(pool.for_each(count, failing), "item 5 is broken", Error);
    CHECK(begun < count);
    if (threads == 1) CHECK(begun == 6);
    std::atomic<int64_t> sum{0};
    pool.for_each(100, [&](int64_t i, Context&) { sum += i; });
    CHECK(sum == 4950);
    CHECK_THROWS_WITH_AS(pool.for_each(1, [](int64_t, Context&) { fail("alone"); }), "alone",
                         Error);
  }
}

TEST_CASE("thread pool: of many exceptions one is thrown") {
  ThreadPool pool(4);
  for (int repeat = 0; repeat < 20; ++repeat)
    CHECK_THROWS_WITH_AS(pool.for_each(64, [](int64_t, Context&) { fail("every item fails"); }),
                         "every item fails", Error);
}

TEST_CASE("thread pool: a forced implementation holds in every context") {
  const int threads = 3;
  ThreadPool pool(threads);
  pool.force_implementation("conv2d", "reference");
  std::atomic<int> arrived{0};
  std::atomic<int> forced{0};
  pool.for_each(threads, [&](int64_t, Context& context) {
    if (context.forced_implementation("conv2d_forward") == "reference") ++forced;
    ++arrived;
    while (arrived < threads) std::this_thread::yield();
  });
  CHECK(forced == threads);
}

TEST_CASE("thread pool: work after a pause finds the sleeping threads") {
  ThreadPool pool(3);
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // longer than the threads spin
    std::atomic<int> runs{0};
    pool.for_each(10, [&](int64_t, Context&) { ++runs; });
    CHECK(runs == 10);
  }
}
