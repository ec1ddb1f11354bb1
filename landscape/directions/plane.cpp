#include "landscape/directions/plane.h"

#include <algorithm>
#include <cmath>

#include "kernels/perturb/perturb.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// Returns a u + b v, formed in double; undefined if u is.
Tensor combined(const Tensor& u, double a, const Tensor& v, double b) {
  if (!u.defined()) return {};
  const Tensor result({u.size()});
  for (int64_t i = 0; i < u.size(); ++i)
    result.data<float>()[i] = static_cast<float>(a * u.data<float>()[i] + b * v.data<float>()[i]);
  return result;
}

Direction combined(const Direction& u, double a, const Direction& v, double b) {
  return {.parameters = combined(u.parameters, a, v.parameters, b),
          .running_stats = combined(u.running_stats, a, v.running_stats, b)};
}

}  // namespace

OrthonormalPlane orthonormal_plane(const Direction& x, const Direction& y) {
  Context context;
  const double xx = dot(x.parameters, x.parameters, context);
  const double xy = dot(x.parameters, y.parameters, context);
  const double yy = dot(y.parameters, y.parameters, context);
  require(xx > 0, "the first two networks are one and the same: they span no plane");
  OrthonormalPlane plane;
  plane.first_x = std::sqrt(xx);
  plane.second_x = xy / plane.first_x;
  // Summed directly: the difference yy - xy^2 / xx would cancel.
  double outside = 0;
  for (int64_t i = 0; i < x.parameters.size(); ++i) {
    const double rest = y.parameters.data<float>()[i] - xy / xx * x.parameters.data<float>()[i];
    outside += rest * rest;
  }
  require(outside > 1e-12 * yy, "the three networks lie on one line: they span no plane");
  plane.second_y = std::sqrt(outside);
  plane.basis.x = combined(x, 1 / plane.first_x, x, 0);
  plane.basis.y = combined(y, 1 / plane.second_y, x, -xy / xx / plane.second_y);
  return plane;
}

Direction normalised(const Direction& direction, const ParameterLayout& layout, const Tensor& theta,
                     DirectionNorm norm, Ignore ignore) {
  Direction result{.parameters = direction.parameters.clone(),
                   .running_stats = direction.running_stats};
  for (const ParameterEntry& entry : layout.parameters()) {
    float* d = result.parameters.data<float>() + entry.offset;
    if (entry.is_weight())
      normalise(entry, norm, theta.data<float>() + entry.offset, d);
    else if (ignore == Ignore::biasbn)
      std::fill_n(d, entry.size(), 0.0F);
  }
  return result;
}

ModelState at_point(const ModelState& centre, const Directions& plane, double alpha, double beta,
                    Context& host) {
  const Direction y = plane.y.value_or(Direction{});
  const auto moved = [&](const Tensor& from, const Tensor& dx, const Tensor& dy) {
    if (!dx.defined()) return from;
    const Tensor there(from.shape());
    perturb({.w = there, .theta = from, .delta = dx, .eta = dy, .a = alpha, .b = beta}, host);
    return there;
  };
  return {moved(centre.theta, plane.x.parameters, y.parameters),
          moved(centre.running_stats, plane.x.running_stats, y.running_stats)};
}

Direction scaled(const Tensor& vector, double factor) {
  return {.parameters = combined(vector, factor, vector, 0), .running_stats = {}};
}

}  // namespace topograd
