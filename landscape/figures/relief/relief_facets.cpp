#include "landscape/figures/relief/relief_facets.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "landscape/figures/cells.h"
#include "landscape/figures/relief/relief_rendering.h"

namespace topograd::drawing {

namespace {

constexpr size_t kFacets = 90;  // along the longer side

/// Returns every so many-th point of an axis of n, the first and the last among them.
std::vector<size_t> chosen(size_t n, size_t longest) {
  const size_t facets = std::min(n - 1, std::max<size_t>(1, (n - 1) * kFacets / (longest - 1)));
  std::vector<size_t> points;
  for (size_t k = 0; k <= facets; ++k) points.push_back(k * (n - 1) / facets);
  return points;
}

/// Range of the fine mesh's points under a facet.
struct Block {
  size_t top, bottom, left, right;  ///< rows and columns, the last ones among them
};

class FacetMaker {
 public:
  FacetMaker(const ReliefMesh& relief, const Camera& camera, const Lit& light,
             const std::vector<double>& levels, ColourMap map)
      : relief_(relief),
        field_(relief.field()),
        camera_(camera),
        light_(light),
        levels_(levels),
        map_(map) {}

  bool is_seen(const Block& block) const {
    const auto open = [&](size_t row, size_t column) {
      return relief_.is_open(point(row, column), camera_.position());
    };
    return open(block.top, block.left) || open(block.top, block.right) ||
           open(block.bottom, block.left) || open(block.bottom, block.right) ||
           open((block.top + block.bottom) / 2, (block.left + block.right) / 2);
  }

  bool is_hole(const Block& block) const {
    for (const size_t corner : corners_of(block))
      if (std::isnan(field_.z[corner])) return true;
    return false;
  }

  Facet facet(const Block& block) const {
    double fraction = 0, brightness = 0, gloss = 0, count = 0;
    for (size_t row = block.top; row <= block.bottom; ++row)
      for (size_t column = block.left; column <= block.right; ++column) {
        const size_t i = field_.at(row, column);
        if (std::isnan(field_.z[i])) continue;
        fraction += field_.fraction[i], brightness += light_.brightness[i],
            gloss += light_.gloss[i];
        ++count;
      }
    fraction /= count, brightness /= count, gloss /= count;
    const auto seen = [&](size_t row, size_t column) { return camera_.see(point(row, column)).at; };
    return {{seen(block.top, block.left), seen(block.top, block.right),
             seen(block.bottom, block.right), seen(block.bottom, block.left)},
            lit_colour(map_, fraction, brightness, gloss, 1),
            lines_on(block),
            lit_colour(map_, fraction, brightness, gloss, kLineShade)};
  }

 private:
  Point3 point(size_t row, size_t column) const {
    return {field_.x[column], field_.y[row], field_.z[field_.at(row, column)]};
  }

  std::array<size_t, 4> corners_of(const Block& block) const {
    return {field_.at(block.top, block.left), field_.at(block.top, block.right),
            field_.at(block.bottom, block.right), field_.at(block.bottom, block.left)};
  }

  /// Returns the levels' lines, straight between the facet's edges.
  std::vector<std::array<Point, 2>> lines_on(const Block& block) const {
    const std::array<size_t, 4> corners = corners_of(block);
    const std::array<Point3, 4> places = {
        point(block.top, block.left), point(block.top, block.right),
        point(block.bottom, block.right), point(block.bottom, block.left)};
    std::vector<std::array<Point, 2>> lines;
    for (const double level : levels_) {
      std::vector<Point> crossings;
      for (size_t i = 0; i < 4; ++i) {
        const size_t k = (i + 1) % 4;
        const double a = field_.fraction[corners[i]], b = field_.fraction[corners[k]];
        if ((a < level) == (b < level)) continue;
        const double t = (level - a) / (b - a);
        crossings.push_back(camera_
                                .see({std::lerp(places[i].x, places[k].x, t),
                                      std::lerp(places[i].y, places[k].y, t),
                                      std::lerp(places[i].z, places[k].z, t)})
                                .at);
      }
      for (size_t i = 0; i + 1 < crossings.size(); i += 2)
        lines.push_back({crossings[i], crossings[i + 1]});
    }
    return lines;
  }

  const ReliefMesh& relief_;
  const HeightField& field_;
  const Camera& camera_;
  const Lit& light_;
  const std::vector<double>& levels_;
  ColourMap map_;
};

/// Returns how many intervals each one is away from that with the camera, or nearest to it.
std::vector<size_t> steps_from(const std::vector<double>& stops, double camera) {
  const size_t nearest = interval(stops, camera);
  std::vector<size_t> steps;
  for (size_t i = 0; i + 1 < stops.size(); ++i)
    steps.push_back(i > nearest ? i - nearest : nearest - i);
  return steps;
}

std::vector<double> stops_of(const std::vector<double>& axis, const std::vector<size_t>& points) {
  std::vector<double> stops;
  for (const size_t point : points) stops.push_back(axis[point]);
  return stops;
}

}  // namespace

std::vector<Facet> relief_facets(const ReliefMesh& relief, const Camera& camera, const Lit& light,
                                 const std::vector<double>& levels, ColourMap map) {
  const HeightField& field = relief.field();
  const size_t longest = std::max(field.x.size(), field.y.size());
  const std::vector<size_t> columns = chosen(field.x.size(), longest);
  const std::vector<size_t> rows = chosen(field.y.size(), longest);
  const std::vector<size_t> x_steps = steps_from(stops_of(field.x, columns), camera.position().x);
  const std::vector<size_t> y_steps = steps_from(stops_of(field.y, rows), camera.position().y);
  // A ray from the camera never comes nearer again in x or y: what it meets first is fewer steps away.
  std::vector<std::pair<size_t, Block>> blocks;
  for (size_t j = 0; j + 1 < rows.size(); ++j)
    for (size_t i = 0; i + 1 < columns.size(); ++i)
      blocks.push_back(
          {y_steps[j] + x_steps[i], {rows[j], rows[j + 1], columns[i], columns[i + 1]}});
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const FacetMaker maker(relief, camera, light, levels, map);
  std::vector<Facet> facets;
  for (const auto& [steps, block] : blocks)
    if (!maker.is_hole(block) && maker.is_seen(block)) facets.push_back(maker.facet(block));
  return facets;
}

}  // namespace topograd::drawing
