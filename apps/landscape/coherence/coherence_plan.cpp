#include "apps/landscape/coherence/coherence_plan.h"

#include "apps/landscape/common/network_pace.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

/// Returns the seconds that all minibatches' gradients take at one network.
double seconds_at_a_network(const CoherenceSettings& settings, const LoadedModel& model,
                            const ImageSets& images, ThreadPool& pool,
                            cli::Measurement measurement) {
  const CurvatureSpec spec{.graph = model.graph,
                           .theta = model.weights.theta,
                           .running_stats = model.weights.running_stats,
                           .images = images.sets[0],
                           .loss = settings.loss,
                           .mode = settings.batchnorm,
                           .batch = *settings.batch_size};
  return seconds_for({.gradients = static_cast<double>(*settings.batches * *settings.batch_size)},
                     spec, pool, measurement);
}

}  // namespace

cli::RunPlan coherence_plan(const CoherenceAhead& ahead, const std::string& output,
                            ThreadPool& pool, cli::Measurement measurement) {
  const size_t left = ahead.networks - ahead.done;
  return {.output = output,
          .what = text("gradients of ", ahead.settings.minibatches(), " at ",
                       network_in_words(ahead.first),
                       ahead.networks > 1 ? text(", and ", ahead.networks - 1, " more") : "",
                       ahead.done > 0 ? text(", ", ahead.done, " done") : "", ", of ",
                       ahead.images.sets[0].count(), " ", ahead.images.description, " images"),
          .seconds = left == 0 ? 0
                               : static_cast<double>(left) *
                                     seconds_at_a_network(ahead.settings, ahead.first, ahead.images,
                                                          pool, measurement)};
}

cli::RunPlan coherence_map_plan(const CoherenceSettings& settings, const LoadedModel& model,
                                const ImageSets& images, const std::string& over, int64_t points,
                                int64_t points_to_do, const std::string& output, ThreadPool& pool,
                                cli::Measurement measurement) {
  return {
      .output = output,
      .what = text("gradients of ", settings.minibatches(), " at the ", points, " points of ", over,
                   points_to_do < points ? text(", ", points - points_to_do, " done") : "", ", ",
                   network_in_words(model), ", of ", images.sets[0].count(), " ",
                   images.description, " images"),
      .seconds = points_to_do == 0
                     ? 0
                     : static_cast<double>(points_to_do) *
                           seconds_at_a_network(settings, model, images, pool, measurement)};
}

}  // namespace topograd
