// Every planted bug is seen by the build that should see it.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/simt/schedule.h"
#include "tests/simt/child_process.h"
#include "tests/simt/device_buffer.h"
#include "tests/simt/planted_bugs.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

using namespace topograd;
using namespace topograd::simt;
using namespace topograd::simt::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::string outcome(const PlantedBug& bug, unsigned seed) {
  set_schedule_seed(seed);
  std::vector<float> in(1024);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 97 + 1);
  const DeviceBuffer<float> source(in);
  const DeviceBuffer<float> target(in.size());
  Context context(Device::simt);
  try {
    bug.run(target.data(), source.data(), context);
  } catch (const Error& error) {
    return error.what();
  }
  const std::vector<float> expected = bug.expected(in);
  const std::vector<float> out = target.values();
  for (size_t i = 0; i < expected.size(); ++i)
    if (!(std::abs(out[i] - expected[i]) <= 1e-3f)) return std::string(kWrong);
  return std::string(kUnseen);
}

std::string_view expectation(const PlantedBug& bug) {
  if (race_checker_present()) return bug.checked;
  return kSanitized ? bug.sanitized : bug.plain;
}

}  // namespace

TEST_CASE("planted bugs: seen in the natural schedule, with the line and the thread") {
  for (const PlantedBug& bug : planted_bugs()) {
    const std::string name = bug.name;
    CAPTURE(name);
    const std::string seen = run_in_child([&] { return outcome(bug, 0); });
    CAPTURE(seen);
    CHECK(seen.find(expectation(bug)) != std::string::npos);
  }
}

TEST_CASE("planted bugs: what is seen in the natural schedule is seen in random ones") {
  for (const PlantedBug& bug : planted_bugs()) {
    if (expectation(bug).empty() || expectation(bug) == kUnseen) continue;
    const std::string name = bug.name;
    CAPTURE(name);
    for (unsigned seed = 1; seed <= 5; ++seed)
      CHECK(run_in_child([&] { return outcome(bug, seed); }) != kUnseen);
  }
}
