#include "landscape/sharpness/measures.h"
#include "kernels/core/numbers.h"

#include <algorithm>
#include <cmath>

namespace topograd {

namespace {

constexpr int kMaxDoublings = 40;

Estimate mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double value : values) sum += value;
  const double mean = sum / n;
  for (double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() < 2 ? kNaN : std::sqrt(squares / (n - 1) / n)};
}

double dot_product(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a.data<float>()[i]) * b.data<float>()[i];
  return sum;
}

/// Returns y, y_i = epsilon (|theta_i| + 1) u_i.
Tensor in_box(const std::vector<double>& u, const Tensor& theta, double epsilon) {
  const Tensor y(theta.shape());
  for (int64_t i = 0; i < y.size(); ++i) {
    const double half_width = epsilon * (std::abs(theta.data<float>()[i]) + 1.0);
    y.data<float>()[i] = static_cast<float>(half_width * u[static_cast<size_t>(i)]);
  }
  return y;
}

double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/// Moves e += length T^2 g / |T g|. Returns false where that is no direction.
bool ascend(const Tensor& e, const Tensor& g, const Tensor& theta, const SamOptions& options,
            double length) {
  const auto scale = [&](int64_t i) {
    return options.adaptive ? std::abs(theta.data<float>()[i]) + options.eta : 1.0;
  };
  double squares = 0;
  for (int64_t i = 0; i < g.size(); ++i) {
    const double scaled = scale(i) * g.data<float>()[i];
    squares += scaled * scaled;
  }
  const double norm = std::sqrt(squares);
  if (!(norm > 0 && std::isfinite(norm))) return false;
  for (int64_t i = 0; i < g.size(); ++i)
    e.data<float>()[i] +=
        static_cast<float>(length * scale(i) * scale(i) * g.data<float>()[i] / norm);
  return true;
}

}  // namespace

double keskar_sharpness(LossFunction& loss, double epsilon, int steps) {
  const Tensor& theta = loss.theta();
  const Tensor gradient(theta.shape());
  std::vector<double> u(static_cast<size_t>(theta.size()), 0.0);
  Tensor best;
  double best_loss = -kInfinity;
  for (int step = 0; step < steps; ++step) {
    const Tensor y = in_box(u, theta, epsilon);
    const double here = loss.gradient(gradient, y);
    require(std::isfinite(here), "the loss is ", here, " inside Keskar's box after ", step,
            " steps: choose a smaller box");
    if (here > best_loss) {
      best_loss = here;
      best = y;
    }
    for (size_t i = 0; i < u.size(); ++i)
      u[i] = std::clamp(u[i] + 2.5 / steps * sign(gradient.data<float>()[i]), -1.0, 1.0);
  }
  // Evaluate both once more as the centre was: other sums round otherwise.
  const double last = loss.at(in_box(u, theta, epsilon), 1.0).loss;
  const double highest = std::max({last, loss.at(best, 1.0).loss, loss.centre().loss});
  return 100 * (highest - loss.centre().loss) / (1 + loss.centre().loss);
}

double sam_sharpness(LossFunction& loss, const SamOptions& options) {
  const Tensor& theta = loss.theta();
  const Tensor e = Tensor::zeros(theta.shape()), gradient(theta.shape());
  for (int step = 0; step < options.steps; ++step) {
    loss.gradient(gradient, e);
    if (!ascend(e, gradient, theta, options, options.rho / options.steps)) return kNaN;
  }
  return loss.at(e, 1.0).loss - loss.centre().loss;
}

Estimate expected_sharpness(LossFunction& loss, const SampledDirections& directions, double sigma) {
  std::vector<double> increases;
  for (int k = 0; k < directions.count(); ++k)
    increases.push_back(loss.at(directions[k], sigma).loss - loss.centre().loss);
  return mean_of(increases);
}

Estimate mean_curvature(LossFunction& loss, const SampledDirections& directions) {
  std::vector<double> curvatures;
  const Tensor product(loss.theta().shape());
  for (int k = 0; k < directions.count(); ++k) {
    const Tensor d = directions[k];
    loss.multiply(product, d);
    curvatures.push_back(dot_product(d, product));
  }
  return mean_of(curvatures);
}

double crossing(const std::function<bool(double)>& beyond, double start, double tolerance) {
  double low = start, high = start;
  int tries = 0;
  if (beyond(start)) {
    do {
      if (++tries > kMaxDoublings) return 0;
      high = low;
      low /= 2;
    } while (beyond(low));
  } else {
    do {
      if (++tries > kMaxDoublings) return kInfinity;
      low = high;
      high *= 2;
    } while (!beyond(high));
  }
  while (high > low * (1 + tolerance)) {
    const double middle = std::sqrt(low * high);
    (beyond(middle) ? high : low) = middle;
  }
  return std::sqrt(low * high);
}

double usual_tries(double tolerance) {
  constexpr double kToBracket = 4;
  return kToBracket + std::ceil(std::log2(std::log(2.0) / std::log1p(tolerance)));
}

Estimate pac_bayes_sigma(LossFunction& loss, const SampledDirections& directions, IncreaseOf of,
                         double target, double tolerance) {
  const auto value = [&](const LossValue& there) {
    return of == IncreaseOf::loss ? there.loss : there.error;
  };
  const auto increase = [&](double sigma) {
    std::vector<double> increases;
    for (int k = 0; k < directions.count(); ++k)
      increases.push_back(value(loss.at(directions[k], sigma)) - value(loss.centre()));
    return mean_of(increases);
  };
  const double sigma =
      crossing([&](double s) { return !(increase(s).value <= target); }, 0.01, tolerance);
  if (!(sigma > 0 && std::isfinite(sigma))) return {sigma, kNaN};
  const double slope =
      (increase(1.1 * sigma).value - increase(sigma / 1.1).value) / (1.1 * sigma - sigma / 1.1);
  return {sigma, slope > 0 ? increase(sigma).standard_error / slope : kNaN};
}

double critical_sharpness(LossFunction& loss, double tolerance) {
  const Tensor gradient(loss.theta().shape()), product(loss.theta().shape());
  loss.gradient(gradient, {});
  const double squares = dot_product(gradient, gradient);
  if (!(squares > 0)) return kNaN;
  loss.multiply(product, gradient);
  // Begin well below the radius at which a quadratic would rise: what rises first counts.
  const double rayleigh = std::abs(dot_product(gradient, product)) / squares;
  const double start = rayleigh > 0 ? 2 / rayleigh / 16 : 1e-3;
  const double critical =
      crossing([&](double eta) { return !(loss.at(gradient, -eta).loss <= loss.centre().loss); },
               start, tolerance);
  return critical > 0 ? 2 / critical : kNaN;
}

Estimate basin_width(LossFunction& loss, const SampledDirections& directions, double rise,
                     double tolerance) {
  const double level = loss.centre().loss + rise;
  std::vector<double> widths;
  double start = 0.1;  // then where the side before ended: few evaluations are wasted
  for (int k = 0; k < directions.count(); ++k) {
    const Tensor d = directions[k];
    double width = 0;
    for (int side : {1, -1}) {
      const double end =
          crossing([&](double alpha) { return !(loss.at(d, side * alpha).loss <= level); }, start,
                   tolerance);
      if (end > 0 && std::isfinite(end)) start = end;
      width += end;
    }
    widths.push_back(width);
  }
  return mean_of(widths);
}

}  // namespace topograd
