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

std::vector<Loss> SurfaceQuantities::evaluated() const {
  std::vector<Loss> all = losses;
  for (const Loss& measure : measures)
    if (measure.kind == LossKind::calibration_gap)
      for (int bin = 0; bin < kCalibrationBins; ++bin) all.emplace_back(measure.kind, bin);
    else
      all.push_back(measure);
  return all;
}

std::string measure_plane(const Loss& measure) {
  if (measure.kind == LossKind::top_k) return text("top", measure.constant, "_acc");
  if (measure.kind == LossKind::calibration_gap) return "calibration_error";
  return std::string(name_of(measure.kind));
}

SurfaceValues::SurfaceValues(const SurfaceQuantities& quantities) : quantities_(quantities) {
  for (const Loss& loss : quantities.losses)
    losses_.push_back(losses_.empty() ? "_loss" : text("_loss_", name_of(loss.kind)));
}

void add_quantity(Surface& surface, const std::string& name, const std::vector<uint64_t>& seeds) {
  surface.add_plane(name);
  if (!seeds.empty()) surface.add_plane(name + "_sd");
  for (const uint64_t seed : seeds) surface.add_plane(text(name, "_seed", seed));
}

void record_quantity(Surface& surface, int64_t point, const std::string& name,
                     const std::vector<double>& values, const std::vector<uint64_t>& seeds) {
  const auto here = static_cast<size_t>(point);
  surface.add_plane(name)[here] = mean(values);
  if (seeds.empty()) return;
  surface.add_plane(name + "_sd")[here] = sample_deviation(values);
  for (size_t k = 0; k < values.size(); ++k)
    surface.add_plane(text(name, "_seed", seeds[k]))[here] = values[k];
}

void SurfaceValues::add_planes(Surface& surface) const {
  for (const std::string& set : quantities_.sets) {
    for (const std::string& loss : losses_) {
      add_quantity(surface, set + loss, quantities_.seeds);
      surface.add_plane(set + loss + "_se");
    }
    if (quantities_.has_answers)
      for (const char* quantity : {"_acc", "_correct"}) surface.add_plane(set + quantity);
    for (const Loss& measure : quantities_.measures) {
      surface.add_plane(text(set, "_", measure_plane(measure)));
      if (measure.kind != LossKind::calibration_gap)
        surface.add_plane(text(set, "_", measure_plane(measure), "_se"));
    }
    if (quantities_.counts_differ) surface.add_plane(set + "_n");
  }
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
      record_quantity(surface, point, name + losses_[loss],
                      of_planes(loss, [](const LossSums& s) { return s.mean(); }),
                      quantities_.seeds);
      enter(losses_[loss] + "_se", loss,
            [&](const LossSums& s) { return s.standard_error(population); });
    }
    // The accuracy of NaN outputs counts class 0 as their answer, which some labels are.
    if (quantities_.has_answers) {
      enter("_acc", 0,
            [](const LossSums& s) { return std::isfinite(s.mean()) ? s.accuracy() : kNaN; });
      enter("_correct", 0, [](const LossSums& s) { return s.correct; });
    }
    size_t next = losses_.size();
    for (const Loss& measure : quantities_.measures) {
      const std::string plane = text("_", measure_plane(measure));
      if (measure.kind == LossKind::calibration_gap) {
        // Plane by plane: the sum over the bins of their mean gaps' sizes.
        std::vector<double> errors(planes.size(), 0.0);
        for (int bin = 0; bin < kCalibrationBins; ++bin, ++next) {
          const std::vector<double> gaps =
              of_planes(next, [](const LossSums& s) { return s.mean(); });
          for (size_t k = 0; k < gaps.size(); ++k) errors[k] += std::abs(gaps[k]);
        }
        surface.add_plane(name + plane)[here] = mean(errors);
        continue;
      }
      const double factor = measure.kind == LossKind::top_k ? 100 : 1;  // a share in percent
      enter(plane, next, [&](const LossSums& s) { return factor * s.mean(); });
      enter(plane + "_se", next,
            [&](const LossSums& s) { return factor * s.standard_error(population); });
      ++next;
    }
    if (quantities_.counts_differ) enter("_n", 0, [](const LossSums& s) { return s.count; });
  }
  surface.mark_done(point);
}

}  // namespace topograd
