#include "landscape/sharpness/rescaling_test.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"
#include "landscape/sharpness/sampled_directions.h"

namespace topograd {

namespace {

/// Largest allowed difference of the rescaled network's logits, as a share of the largest.
constexpr double kSameFunction = 1e-3;
constexpr int kSlicePoints = 41;  // see kLossesOfRescaling

double length(const Tensor& v) {
  double squares = 0;
  for (int64_t i = 0; i < v.size(); ++i)
    squares += static_cast<double>(v.data<float>()[i]) * v.data<float>()[i];
  return std::sqrt(squares);
}

std::vector<double> losses_along(NetworkLoss& loss, const Tensor& direction,
                                 const std::vector<double>& alphas) {
  std::vector<double> losses;
  for (const LossValue& there : loss.along(direction, alphas)) losses.push_back(there.loss);
  return losses;
}

}  // namespace

void compare_logits(ReparametrisationTest& test, const Tensor& before, const Tensor& after) {
  bool numbers = true;
  for (int64_t i = 0; i < before.size(); ++i) {
    const double was = before.data<float>()[i], is = after.data<float>()[i];
    numbers = numbers && std::isfinite(was) && std::isfinite(is);
    test.largest_logit = std::max(test.largest_logit, std::abs(was));
    test.largest_difference = std::max(test.largest_difference, std::abs(is - was));
  }
  require(numbers && test.largest_difference <= kSameFunction * test.largest_logit,
          "rescaling changed what the network computes: logits up to ", test.largest_logit,
          " differ by ", numbers ? text(test.largest_difference) : "what is no number",
          "; choose a --factor nearer to 1");
}

std::vector<RescaledSlice> slices_of(NetworkLoss& before, NetworkLoss& after,
                                     const ParameterLayout& layout, uint64_t seed) {
  std::vector<double> alphas;
  for (int i = 0; i < kSlicePoints; ++i) alphas.push_back(-1 + 2.0 * i / (kSlicePoints - 1));
  const auto filter_direction = [&](const NetworkLoss& loss) {
    return filter_normalised_directions(layout, loss.theta(), 1, seed)[0];
  };
  const Tensor own = filter_direction(before);
  const Tensor plain = normal_directions(layout, before.theta(), false, 1, seed)[0];
  const double scale = length(own) / length(plain);
  for (int64_t i = 0; i < plain.size(); ++i)
    plain.data<float>()[i] = static_cast<float>(scale * plain.data<float>()[i]);
  return {
      {"filter", alphas, losses_along(before, own, alphas),
       losses_along(after, filter_direction(after), alphas)},
      {"plain", alphas, losses_along(before, plain, alphas), losses_along(after, plain, alphas)}};
}

}  // namespace topograd
