#include "landscape/figures/relief/relief_rendering.h"

#include <algorithm>
#include <cmath>

namespace topograd::drawing {

namespace {

constexpr int kSamples = 2;  // samples per pixel along each side
constexpr double kGlossShare = 0.16;

void add(Colour& sum, const Colour& c) {
  sum.red += c.opacity * c.red;
  sum.green += c.opacity * c.green;
  sum.blue += c.opacity * c.blue;
  sum.opacity += c.opacity;
}

Colour mean(const Colour& sum) {
  if (sum.opacity == 0) return {0, 0, 0, 0};
  return {sum.red / sum.opacity, sum.green / sum.opacity, sum.blue / sum.opacity,
          sum.opacity / (kSamples * kSamples)};
}

size_t band(const std::vector<double>& levels, float fraction) {
  return static_cast<size_t>(
      std::upper_bound(levels.begin(), levels.end(), static_cast<double>(fraction)) -
      levels.begin());
}

}  // namespace

Colour lit_colour(ColourMap map, double fraction, double brightness, double gloss, double shade) {
  const Colour own = fraction > 1 + 1e-6 ? off_scale(map) : colour_at(map, fraction);
  const auto light = [&](double channel) {
    // Light adds up in linear intensities, of which sRGB's numbers are about the root.
    const double linear = std::pow(channel, 2.2) * brightness * shade + kGlossShare * gloss * shade;
    return std::pow(std::clamp(linear, 0.0, 1.0), 1 / 2.2);
  };
  return {light(own.red), light(own.green), light(own.blue), 1};
}

ReliefRendering::ReliefRendering(const ReliefMesh& relief, const Camera& camera, const Lit& light,
                                 const Rect& area, double pixels)
    : area_(area),
      pixels_(pixels),
      samples_(static_cast<int>(std::ceil(area.width * pixels)) * kSamples,
               static_cast<int>(std::ceil(area.height * pixels)) * kSamples) {
  const HeightField& field = relief.field();
  std::vector<DepthBuffer::Corner> corners;
  for (size_t row = 0; row < field.y.size(); ++row)
    for (size_t column = 0; column < field.x.size(); ++column) {
      const size_t i = field.at(row, column);
      const Seen seen = camera.see({field.x[column], field.y[row], field.z[i]});
      corners.push_back({(seen.at.x - area.left) * pixels_ * kSamples,
                         (seen.at.y - area.top) * pixels_ * kSamples, seen.depth, field.fraction[i],
                         light.brightness[i], light.gloss[i]});
    }
  for (size_t row = 0; row + 1 < field.y.size(); ++row)
    for (size_t column = 0; column + 1 < field.x.size(); ++column) {
      const size_t a = field.at(row, column), b = a + 1;
      const size_t c = field.at(row + 1, column), d = c + 1;
      if (std::isnan(field.z[a] + field.z[b] + field.z[c] + field.z[d])) continue;
      samples_.add({corners[a], corners[b], corners[c]});
      samples_.add({corners[b], corners[d], corners[c]});
    }
}

void ReliefRendering::draw(Canvas& canvas, const std::vector<double>& levels, ColourMap map) const {
  const int width = samples_.width() / kSamples, height = samples_.height() / kSamples;
  std::vector<uint32_t> pixels;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      Colour sum{0, 0, 0, 0};
      for (int k = 0; k < kSamples * kSamples; ++k)
        add(sum, colour_of(kSamples * column + k % kSamples, kSamples * row + k / kSamples, levels,
                           map));
      pixels.push_back(packed(mean(sum)));
    }
  canvas.image({area_.left, area_.top, static_cast<double>(width) / pixels_,
                static_cast<double>(height) / pixels_},
               width, height, pixels);
}

/// Returns whether the next sample to the right or below is in another band of the same slope.
bool ReliefRendering::on_a_line(int column, int row, const std::vector<double>& levels) const {
  const DepthBuffer::Pixel& here = samples_.at(column, row);
  const auto differs = [&](int c, int r) {
    if (c >= samples_.width() || r >= samples_.height()) return false;
    const DepthBuffer::Pixel& next = samples_.at(c, r);
    return std::abs(next.depth - here.depth) < 0.05F &&
           band(levels, next.fraction) != band(levels, here.fraction);
  };
  return differs(column + 1, row) || differs(column, row + 1);
}

Colour ReliefRendering::colour_of(int column, int row, const std::vector<double>& levels,
                                  ColourMap map) const {
  const DepthBuffer::Pixel& sample = samples_.at(column, row);
  if (!std::isfinite(sample.depth)) return {0, 0, 0, 0};
  return lit_colour(map, sample.fraction, sample.brightness, sample.gloss,
                    on_a_line(column, row, levels) ? kLineShade : 1);
}

}  // namespace topograd::drawing
