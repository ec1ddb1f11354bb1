#include "landscape/results/loss_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace topograd;

TEST_CASE("loss: it is a decimal number, and what went astray a power of ten") {
  CHECK(loss_text(0.01234, 4) == "0.0123");
  CHECK(loss_text(9999.5, 1) == "9999.5");
  CHECK(loss_text(508514606120.96, 4) == "5.0851e+11");
  CHECK(loss_text(-20000, 4) == "-20000");
  CHECK(loss_text(std::nan(""), 4) == "nan");
  CHECK(loss_text(std::numeric_limits<double>::infinity(), 4) == "inf");
}
