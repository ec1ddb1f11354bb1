#include "nn/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/trainer.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
using doctest::Approx;

TEST_CASE("schedule: constant stays") {
  const Schedule s{.kind = ScheduleKind::constant, .base = 0.03, .drops = {1, 2}, .epochs = 10};
  for (double epoch : {0.0, 0.5, 1.0, 2.5, 9.999}) CHECK(s.rate(epoch) == 0.03);
}

TEST_CASE("schedule: the reference's steps, 0.1 times 0.1 after epochs 150, 225 and 275 of 300") {
  const Schedule s{.base = 0.1, .factor = 0.1, .drops = default_drops(300), .epochs = 300};
  REQUIRE(s.kind == ScheduleKind::step);
  CHECK(s.drops == std::vector<double>{150, 225, 275});
  struct Case {
    double epoch, rate;
  };
  for (const Case& c :
       {Case{0, 0.1}, Case{149, 0.1}, Case{149.999, 0.1}, Case{150, 0.01}, Case{224.5, 0.01},
        Case{225, 0.001}, Case{274.999, 0.001}, Case{275, 1e-4}, Case{299.999, 1e-4}}) {
    CAPTURE(c.epoch);
    CHECK(s.rate(c.epoch) == Approx(c.rate).epsilon(1e-12));
  }
}

TEST_CASE("schedule: a drop within an epoch takes effect with the next whole one") {
  const Schedule s{.base = 1, .factor = 0.5, .drops = {1.5, 3}, .epochs = 4};
  CHECK(s.rate(1.9) == 1);
  CHECK(s.rate(2) == 0.5);
  CHECK(s.rate(3) == 0.25);
}

TEST_CASE("schedule: cosine falls from the base to 0") {
  const Schedule s{.kind = ScheduleKind::cosine, .base = 0.2, .epochs = 40};
  CHECK(s.rate(0) == 0.2);
  CHECK(s.rate(10) == Approx(0.2 * (1 + std::sqrt(0.5)) / 2).epsilon(1e-12));
  CHECK(s.rate(20) == Approx(0.1).epsilon(1e-12));
  CHECK(s.rate(30) == Approx(0.2 * (1 - std::sqrt(0.5)) / 2).epsilon(1e-12));
  CHECK(std::abs(s.rate(40)) <= 1e-15);
  CHECK(std::abs(s.rate(45)) <= 1e-15);  // and stays there
}

TEST_CASE("schedule: warm-up rises linearly to the course, whatever that is") {
  Schedule s{.kind = ScheduleKind::constant, .base = 0.8, .warmup = 4, .epochs = 40};
  CHECK(s.rate(0) == 0);
  CHECK(s.rate(1) == Approx(0.2).epsilon(1e-12));
  CHECK(s.rate(3.5) == Approx(0.7).epsilon(1e-12));
  CHECK(s.rate(4) == 0.8);
  CHECK(s.rate(5) == 0.8);
  s.kind = ScheduleKind::cosine;
  CHECK(s.rate(2) == Approx(0.4 * (1 + std::cos(std::acos(-1.0) / 20)) / 2).epsilon(1e-12));
  CHECK(s.rate(20) == Approx(0.4).epsilon(1e-12));
  s.kind = ScheduleKind::step;
  s.drops = {2};
  CHECK(s.rate(2) == Approx(0.8 * 0.1 * 0.5).epsilon(1e-12));
}

TEST_CASE("schedule: default drops keep the reference's proportions, and never come at once") {
  CHECK(default_drops(200) == std::vector<double>{100, 150, 183});
  CHECK(default_drops(12) == std::vector<double>{6, 9, 11});
  CHECK(default_drops(2) == std::vector<double>{1});
  // A single epoch runs at the base rate, not at a thousandth of it.
  CHECK(default_drops(1).empty());
  for (double epochs : {1.0, 2.0, 3.0, 4.0, 5.0, 30.0}) {
    const Schedule s{.drops = default_drops(epochs), .epochs = epochs};
    CAPTURE(epochs);
    CHECK(s.rate(0) == 0.1);
    for (double epoch = 1; epoch < epochs; ++epoch)
      CHECK(s.rate(epoch) >= 0.099 * s.rate(epoch - 1));
  }
}

TEST_CASE("schedule: names lead there and back, others are refused with the choices") {
  for (const char* name : {"constant", "step", "cosine"})
    CHECK(name_of(schedule_named(name)) == name);
  CHECK(error_of([] { schedule_named("linear"); }) ==
        "unknown schedule 'linear': choose constant, step or cosine");
  CHECK(error_of([] { optimizer_named("rmsprop"); }) ==
        "unknown optimizer 'rmsprop': choose sgd or adam");
}
