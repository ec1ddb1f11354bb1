#include "apps/landscape/common/network_pace.h"

#include <algorithm>
#include <vector>

#include "kernels/core/check.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

int64_t divided(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// Returns the seconds that an image takes in a pass of the operator.
template <class Pass>
double seconds_per_pass(const CurvatureSpec& network, ThreadPool& pool,
                        cli::Measurement measurement, const Pass& pass) {
  const auto work = [&](int64_t passes) {
    CurvatureSpec part = network;
    part.images = network.images.first(std::min(network.images.count(), passes));
    CurvatureOperator curvature(part, pool);
    const Tensor result({curvature.size()}, DType::f32, pool.device());
    const Tensor v = Tensor::zeros({curvature.size()}, DType::f32, pool.device());
    const int64_t repeats = divided(passes, curvature.images());
    const double seconds = cli::seconds_of([&] {
      for (int64_t k = 0; k < repeats; ++k) pass(curvature, result, v);
    });
    return seconds * static_cast<double>(passes) /
           static_cast<double>(repeats * curvature.images());
  };
  return cli::seconds_per_item(16 * pool.threads(), work, measurement);
}

}  // namespace

double seconds_per_evaluation(const EvaluationSpec& spec, ThreadPool& pool,
                              cli::Measurement measurement) {
  const LabelledImages& all = spec.sets.front();
  const auto work = [&](int64_t evaluations) {
    // Each thread has a point of its own, as over a whole surface.
    const int64_t images = std::min(all.count(), divided(evaluations, pool.threads()));
    const std::vector<LabelledImages> some = {all.first(images)};
    EvaluationSpec part = spec;
    part.sets = some;
    part.populations.clear();
    part.target_se = 0;
    const std::vector<PlanePosition> points(static_cast<size_t>(divided(evaluations, images)));
    Evaluator evaluator(part, pool);
    const double seconds = cli::seconds_of([&] { evaluator.evaluate(points); });
    return seconds * static_cast<double>(evaluations) /
           static_cast<double>(images * std::ssize(points));
  };
  return cli::seconds_per_item(images_per_chunk(spec) * pool.threads(), work, measurement);
}

double seconds_for(const Workload& work, const CurvatureSpec& network, ThreadPool& pool,
                   cli::Measurement measurement) {
  double seconds = 0;
  if (work.losses > 0) {
    const std::vector<Directions> line{
        {.x = {.parameters = network.theta, .running_stats = {}}, .y = {}}};
    const std::vector<LabelledImages> sets = {network.images};
    seconds += work.losses * seconds_per_evaluation({.graph = network.graph,
                                                     .theta = network.theta,
                                                     .running_stats = network.running_stats,
                                                     .planes = line,
                                                     .sets = sets,
                                                     .losses = {network.loss}},
                                                    pool, measurement);
  }
  if (work.gradients > 0)
    seconds +=
        work.gradients * seconds_per_pass(network, pool, measurement,
                                          [](CurvatureOperator& curvature, const Tensor& gradient,
                                             const Tensor&) { curvature.gradient(gradient); });
  if (work.products > 0)
    seconds +=
        work.products * seconds_per_pass(network, pool, measurement,
                                         [](CurvatureOperator& curvature, const Tensor& product,
                                            const Tensor& v) { curvature.multiply(product, v); });
  return seconds;
}

std::string network_in_words(const LoadedModel& model) {
  return text(network_name(model.path), ", ", describe(model.spec));
}

}  // namespace topograd
