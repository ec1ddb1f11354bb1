#include "nn/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/trainer.h"
#include "tests/pytorch_values.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
using doctest::Approx;

namespace {

/// The rates of the first steps of a run of `steps`, against PyTorch's.
template <size_t n>
void check_steps(const Schedule& s, const double (&expected)[n], double steps) {
  for (size_t i = 0; i < n; ++i) {
    CAPTURE(i);
    const double epoch = s.epochs * static_cast<double>(i) / steps;
    CHECK(std::abs(s.rate(epoch) - expected[i]) <= 1e-12 * s.base);
  }
}

}  // namespace

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

TEST_CASE("schedule: one_cycle takes the steps of PyTorch's OneCycleLR") {
  Schedule s{.kind = ScheduleKind::one_cycle, .base = 0.4, .epochs = 2, .steps_per_epoch = 10};
  check_steps(s, pytorch::kOneCycle, 20);
  s.epochs = 1;
  s.steps_per_epoch = 7;
  s.pct_start = 0.5;
  s.div_factor = 10;
  s.final_div_factor = 100;
  check_steps(s, pytorch::kShortOneCycle, 7);
  CHECK(s.rate(1) == Approx(0.4 / 1000).epsilon(1e-12));  // and stays there
  // Many steps, and runs too short for a rise.
  s = {.kind = ScheduleKind::one_cycle, .base = 0.4, .epochs = 10};
  CHECK(s.rate(3) == Approx(0.4).epsilon(1e-12));
  CHECK(s.rate(1.5) == Approx(0.5 * (0.4 + 0.4 / 25)).epsilon(1e-12));
  s = {.kind = ScheduleKind::one_cycle, .base = 0.4, .epochs = 1, .steps_per_epoch = 2};
  CHECK(s.rate(0) == Approx(0.4).epsilon(1e-12));
  s.pct_start = 1;  // the whole run is the rise
  s.steps_per_epoch = 5;
  CHECK(s.rate(0.4) == Approx(0.5 * (0.4 + 0.4 / 25)).epsilon(1e-12));
}

TEST_CASE("schedule: polynomial takes the steps of PyTorch's PolynomialLR, linear with power 1") {
  Schedule s{.kind = ScheduleKind::polynomial, .base = 0.1, .epochs = 4, .power = 2};
  check_steps(s, pytorch::kPolynomial, 8);
  CHECK(s.rate(5) == 0);
  s.power = 1;
  CHECK(s.rate(3) == Approx(0.025).epsilon(1e-12));
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
  s.kind = ScheduleKind::one_cycle;
  Schedule cold = s;
  cold.warmup = 0;
  CHECK(s.rate(3) == Approx(0.75 * cold.rate(3)).epsilon(1e-12));
  s.kind = ScheduleKind::polynomial;
  CHECK(s.rate(2) == Approx(0.8 * 0.95 * 0.5).epsilon(1e-12));
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
  for (const char* name : {"constant", "step", "cosine", "polynomial", "one_cycle"})
    CHECK(name_of(schedule_named(name)) == name);
  CHECK(error_of([] { schedule_named("linear"); }) ==
        "unknown schedule 'linear': choose constant, step, cosine, polynomial or one_cycle");
  CHECK(error_of([] { optimizer_named("rmsprop"); }) ==
        "unknown optimizer 'rmsprop': choose sgd, adam or adamw");
}
