// Correct kernels: the right result and no complaint, in every build, under every schedule.
#include <doctest/doctest.h>

#include <string>

#include "kernels/simt/schedule.h"
#include "tests/simt/device_buffer.h"
#include "tests/simt/legal_patterns.h"

using namespace topograd;
using namespace topograd::simt;
using namespace topograd::simt::test;

TEST_CASE("legal patterns: right and silent under every schedule") {
  std::vector<float> in(1024);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 61 + 1);
  Context context(Device::simt);
  for (const LegalPattern& pattern : legal_patterns()) {
    const std::string name = pattern.name;
    CAPTURE(name);
    const std::vector<float> expected = pattern.expected(in);
    for (unsigned seed = 0; seed <= 10; ++seed) {
      CAPTURE(seed);
      set_schedule_seed(seed);
      const DeviceBuffer<float> source(in);
      const DeviceBuffer<float> target(in.size());
      REQUIRE_NOTHROW(pattern.run(target.data(), source.data(), context));
      const std::vector<float> out = target.values();
      // Small whole numbers: no sum rounds, in whatever order.
      for (size_t i = 0; i < expected.size(); ++i) REQUIRE(out[i] == expected[i]);
    }
  }
  set_schedule_seed(0);
}
