#include "landscape/evaluation/error_rate.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"

namespace topograd {

namespace {
constexpr double kNormal95 = 1.959963984540054;
}  // namespace

double IntervalEstimate::standard_error() const {
  return (high - low) / (2 * kNormal95);
}

IntervalEstimate error_rate(int64_t wrong, int64_t images, int64_t population) {
  require(images > 0 && wrong >= 0 && wrong <= images, "an error rate of ", wrong, " among ",
          images, " images");
  require(population == 0 || population >= images, images, " images of a population of ",
          population);
  const double n = static_cast<double>(images), share = static_cast<double>(wrong) / n;
  const double left_out =
      population > 1 ? (static_cast<double>(population) - n) / static_cast<double>(population - 1)
                     : (population == 1 ? 0.0 : 1.0);
  const double z2 = kNormal95 * kNormal95 * left_out;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = std::sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return {share, std::max(0.0, std::min(share, centre - half)),
          std::min(1.0, std::max(share, centre + half))};
}

IntervalEstimate difference(const IntervalEstimate& a, const IntervalEstimate& b) {
  const double value = a.value - b.value;
  return {value, value - std::hypot(a.value - a.low, b.high - b.value),
          value + std::hypot(a.high - a.value, b.value - b.low)};
}

}  // namespace topograd
