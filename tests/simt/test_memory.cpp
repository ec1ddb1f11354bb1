// Device memory: undefined at first, exact in size, closed to the host.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "kernels/core/check.h"
#include "kernels/simt/memory.h"
#include "tests/simt/child_process.h"
#include "tests/simt/device_buffer.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

using namespace topograd;
using namespace topograd::simt;
using namespace topograd::simt::test;

TEST_CASE("memory: aligned, and NaN until it is written") {
  for (size_t size : {1u, 3u, 1000u}) {
    const DeviceBuffer<float> buffer(size);
    CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % 256 == 0);
    for (float value : buffer.values()) CHECK(std::isnan(value));
  }
}

TEST_CASE("memory: copies between any places inside allocations") {
  const DeviceBuffer<int> a(counting<int>(10)), b(std::vector<int>(10, 0));
  copy_within(b.data() + 2, a.data() + 5, 3 * sizeof(int));
  CHECK(b.values() == std::vector<int>{0, 0, 5, 6, 7, 0, 0, 0, 0, 0});
  copy_within(a.data() + 1, a.data(), 9 * sizeof(int));  // overlapping
  CHECK(a.values() == std::vector<int>{0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
  fill_zero(a.data() + 8, 2 * sizeof(int));
  const int host[2] = {-1, -2};
  copy_to_device(a.data() + 3, host, sizeof host);
  CHECK(a.values() == std::vector<int>{0, 0, 1, -1, -2, 4, 5, 6, 0, 0});
  int two[2];
  copy_to_host(two, a.data() + 4, sizeof two);
  CHECK(two[0] == -2);
  CHECK(two[1] == 4);
}

TEST_CASE("memory: no bytes are as good as any") {
  void* nothing = allocate(0);
  CHECK(nothing != nullptr);
  copy_to_device(nothing, nullptr, 0);
  copy_to_host(nullptr, nothing, 0);
  copy_within(nothing, nothing, 0);
  fill_zero(nothing, 0);
  fill_zero(nullptr, 0);
  release(nothing);
  release(nullptr);
}

TEST_CASE("memory: ranges that leave their allocation, and the wrong kind of memory, are refused") {
  const DeviceBuffer<int> buffer(std::vector<int>(4, 1));
  std::vector<int> host(100);
  CHECK_THROWS_WITH_AS(copy_to_device(buffer.data() + 1, host.data(), 16),
                       "copy_to_device: 16 bytes at offset 4 of an allocation of 16", Error);
  CHECK_THROWS_AS(copy_to_host(host.data(), buffer.data(), 17), Error);
  CHECK_THROWS_AS(copy_within(buffer.data(), buffer.data() + 3, 8), Error);
  CHECK_THROWS_AS(fill_zero(buffer.data() + 4, 1), Error);
  CHECK_THROWS_AS(fill_zero(buffer.data(), -1), Error);
  CHECK_THROWS_WITH_AS(fill_zero(host.data(), 4), doctest::Contains("is not device memory"), Error);
  CHECK_THROWS_AS(copy_to_device(host.data(), host.data() + 50, 4), Error);
  CHECK_THROWS_WITH_AS(copy_to_device(buffer.data(), buffer.data() + 2, 8),
                       doctest::Contains("is device memory, not the host's"), Error);
  CHECK_THROWS_AS(copy_to_host(buffer.data(), buffer.data() + 2, 8), Error);
  CHECK_THROWS_AS(allocate(-1), Error);
  CHECK_THROWS_WITH_AS(release(buffer.data() + 1),
                       doctest::Contains("is not the beginning of an allocation"), Error);
  CHECK_THROWS_AS(release(host.data()), Error);
  CHECK(buffer.values() == std::vector<int>(4, 1));
}

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
TEST_CASE("memory: under AddressSanitizer the host may not look into it") {
  const std::string report = run_in_child([] {
    const DeviceBuffer<float> buffer(std::vector<float>(100, 1.0f));
    const volatile float* peek = buffer.data();
    return text("saw ", peek[3]);
  });
  CHECK(report.find("AddressSanitizer: use-after-poison") != std::string::npos);
}
#endif
