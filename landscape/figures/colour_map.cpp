#include "landscape/figures/colour_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace topograd {

namespace {

constexpr std::array<std::array<double, 3>, 7> kViridis = {{
    {0.2777273272234177, 0.005407344544966578, 0.3340998053353061},
    {0.1050930431085774, 1.404613529898575, 1.384590162594685},
    {-0.3308618287255563, 0.214847559468213, 0.09509516302823659},
    {-4.634230498983486, -5.799100973351585, -19.33244095627987},
    {6.228269936347081, 14.17993336680509, 56.69055260068105},
    {4.776384997670288, -13.74514537774601, -65.35303263337234},
    {-5.435455855934631, 4.645852612178535, 26.3124352495832},
}};

}  // namespace

Colour viridis(double t) {
  const double u = std::isnan(t) ? 0.0 : std::clamp(t, 0.0, 1.0);
  std::array<double, 3> rgb{};
  for (size_t degree = kViridis.size(); degree-- > 0;)
    for (size_t i = 0; i < 3; ++i) rgb[i] = rgb[i] * u + kViridis[degree][i];
  for (double& channel : rgb) channel = std::clamp(channel, 0.0, 1.0);
  return {rgb[0], rgb[1], rgb[2], 1};
}

Colour light_viridis(double t) {
  return mixed(viridis(t), {1, 1, 1, 1}, 0.5);
}

Colour mixed(const Colour& a, const Colour& b, double share) {
  const auto mix = [&](double p, double q) { return share * p + (1 - share) * q; };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue), mix(a.opacity, b.opacity)};
}

uint32_t packed(const Colour& colour) {
  const auto byte = [&](double channel) {
    return static_cast<uint32_t>(std::lround(255 * channel * colour.opacity));
  };
  return byte(1) << 24 | byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue);
}

}  // namespace topograd
