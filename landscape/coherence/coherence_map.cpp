#include "landscape/coherence/coherence_map.h"

namespace topograd {

CoherenceAtPoints::CoherenceAtPoints(const CoherenceSpec& spec, ThreadPool& pool,
                                     Observer& observer)
    : sampler_(spec, pool), observer_(observer) {}

std::vector<std::string> CoherenceAtPoints::planes() {
  return {"coherence_cosine",    "coherence_snr",         "gradient_norm",
          "coherence_accuracy",  "coherence_cosine_se",   "coherence_cosine_min",
          "coherence_loss",      "coherence_noise_scale", "coherence_snr_se",
          "batch_gradient_norm", "inner_product_min"};
}

std::optional<SurfaceMap::Values> CoherenceAtPoints::measure(const SurfaceMap::Point& point) {
  const std::optional<Coherence> found = sampler_.at(
      point.theta, point.running_stats, [this](int64_t) { return !observer_.stop_requested(); });
  if (!found) return std::nullopt;
  const CoherenceStatistics& s = found->all;
  return SurfaceMap::Values{{"coherence_loss", found->loss},
                            {"coherence_accuracy", found->accuracy},
                            {"coherence_cosine", s.cosine},
                            {"coherence_cosine_se", s.cosine_se},
                            {"coherence_cosine_min", s.cosine_min},
                            {"coherence_snr", s.snr},
                            {"coherence_snr_se", s.snr_se},
                            {"coherence_noise_scale", s.noise_scale},
                            {"gradient_norm", s.gradient_norm},
                            {"batch_gradient_norm", s.batch_gradient_norm},
                            {"inner_product_min", s.inner_product_min}};
}

}  // namespace topograd
