#include "landscape/surface/surface_values.h"

#include <cmath>

#include "kernels/core/numbers.h"

namespace topograd {

namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double sample_deviation(const std::vector<double>& values) {
  const double centre = mean(values);
  double squares = 0;
  for (double v : values) squares += (v - centre) * (v - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

SurfaceValues::SurfaceValues(const SurfaceQuantities& quantities) : quantities_(quantities) {
  for (LossKind loss : quantities.losses)
    losses_.push_back(losses_.empty() ? "_loss" : "_loss_" + std::string(name_of(loss)));
}

void SurfaceValues::add_planes(Surface& surface) const {
  for (const std::string& set : quantities_.sets) {
    for (const std::string& loss : losses_) {
      for (const char* quantity : {"", "_se"}) surface.add_plane(set + loss + quantity);
      if (!quantities_.seeds.empty()) surface.add_plane(set + loss + "_sd");
      for (uint64_t seed : quantities_.seeds) surface.add_plane(text(set, loss, "_seed", seed));
    }
    for (const char* quantity : {"_acc", "_correct"}) surface.add_plane(set + quantity);
    if (quantities_.counts_differ) surface.add_plane(set + "_n");
  }
}

void SurfaceValues::record_loss(Surface& surface, size_t point, const std::string& name,
                                const std::vector<double>& means) const {
  surface.add_plane(name)[point] = mean(means);
  if (quantities_.seeds.empty()) return;
  surface.add_plane(name + "_sd")[point] = sample_deviation(means);
  for (size_t k = 0; k < means.size(); ++k)
    surface.add_plane(text(name, "_seed", quantities_.seeds[k]))[point] = means[k];
}

void SurfaceValues::record(Surface& surface, int64_t point,
                           std::span<const PointSums> planes) const {
  const size_t here = static_cast<size_t>(point);
  for (size_t set = 0; set < quantities_.sets.size(); ++set) {
    const std::string& name = quantities_.sets[set];
    const int64_t population = quantities_.populations.empty() ? 0 : quantities_.populations[set];
    const auto of_planes = [&](size_t loss, auto quantity) {
      std::vector<double> values;
      for (const PointSums& sums : planes)
        values.push_back(static_cast<double>(quantity(sums[set][loss])));
      return values;
    };
    const auto enter = [&](const std::string& plane, size_t loss, auto quantity) {
      surface.add_plane(name + plane)[here] = mean(of_planes(loss, quantity));
    };
    for (size_t loss = 0; loss < losses_.size(); ++loss) {
      record_loss(surface, here, name + losses_[loss],
                  of_planes(loss, [](const LossSums& s) { return s.mean(); }));
      enter(losses_[loss] + "_se", loss,
            [&](const LossSums& s) { return s.standard_error(population); });
    }
    // The accuracy of NaN outputs counts class 0 as their answer, which some labels are.
    enter("_acc", 0,
          [](const LossSums& s) { return std::isfinite(s.mean()) ? s.accuracy() : kNaN; });
    enter("_correct", 0, [](const LossSums& s) { return s.correct; });
    if (quantities_.counts_differ) enter("_n", 0, [](const LossSums& s) { return s.count; });
  }
  surface.mark_done(point);
}

}  // namespace topograd
