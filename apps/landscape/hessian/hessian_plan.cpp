#include "apps/landscape/hessian/hessian_plan.h"

#include "apps/landscape/common/network_pace.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

std::string name_of_matrix(const CurvatureSelection& selection) {
  return selection.curvature == Curvature::hessian ? "Hessian" : "Gauss-Newton matrix";
}

std::string over_images(const ImageSets& images) {
  return text(images.sets[0].count(), " ", images.description, " images");
}

std::string stages_in_words(const CurvatureStages& to_do, const CurvatureSettings& settings) {
  std::string all;
  const auto add = [&](const std::string& stage) { all += (all.empty() ? "" : ", ") + stage; };
  if (to_do.eigenvalues) {
    const std::string largest =
        settings.largest > 0 ? text(settings.largest, " largest") : std::string();
    const std::string smallest =
        settings.smallest > 0 ? text(settings.smallest, " smallest") : std::string();
    add(text(largest, !largest.empty() && !smallest.empty() ? " and " : "", smallest,
             settings.largest + settings.smallest == 1 ? " eigenvalue" : " eigenvalues"));
  }
  if (to_do.trace) add(text("trace (", settings.trace_products, " products)"));
  if (to_do.density) add(text("density (", settings.probes, "x", settings.steps, " products)"));
  if (all.empty()) return to_do.gradient ? "gradient beside the" : "nothing left to do of the";
  return all + " of the";
}

/// Completes a plan with the seconds of its stages, and what eigenvalues may take at most.
void add_seconds(cli::RunPlan& plan, double times, const CurvatureStages& to_do,
                 const CurvatureSettings& settings, const CurvatureSpec& spec, ThreadPool& pool,
                 cli::Measurement measurement) {
  const int64_t images = spec.images.count();
  const Workload work = times * workload_of(to_do, settings, images);
  const Workload of_products{.products = work.products};
  const double products = seconds_for(of_products, spec, pool, measurement);
  plan.seconds = products + seconds_for({.gradients = work.gradients}, spec, pool, measurement);
  if (!to_do.eigenvalues || work.products == 0) return;
  const int usual = usual_products(settings.largest + settings.smallest, settings.max_products);
  const double more = times * static_cast<double>((settings.max_products - usual) * images);
  plan.bound = text("at most ", clock_text(plan.seconds + products * more / work.products),
                    " (--max-products ", settings.max_products, ")");
}

}  // namespace

cli::RunPlan curvature_plan(const HessianFlags& flags, const LoadedModel& model,
                            const ImageSets& images, const CurvatureStages& to_do,
                            const std::string& output, ThreadPool& pool,
                            cli::Measurement measurement) {
  cli::RunPlan plan{
      .output = output,
      .what = text(stages_in_words(to_do, flags.settings), " ", name_of_matrix(flags.curvature),
                   " at ", network_in_words(model), ", over ", over_images(images))};
  add_seconds(plan, 1, to_do, flags.settings,
              curvature_spec(flags.curvature, model, images.sets[0]), pool, measurement);
  return plan;
}

cli::RunPlan curvature_map_plan(const HessianFlags& flags, const LoadedModel& model,
                                const ImageSets& images, int64_t points, int64_t points_to_do,
                                const std::string& output, ThreadPool& pool,
                                cli::Measurement measurement) {
  CurvatureSettings settings = flags.settings;
  settings.largest = settings.smallest = 1;
  cli::RunPlan plan{
      .output = output,
      .what = text("the ", name_of_matrix(flags.curvature), "'s extreme eigenvalues",
                   settings.trace_products > 0
                       ? text(" and trace (", settings.trace_products, " products)")
                       : "",
                   " at the ", points, " points of ", *flags.map.over,
                   points_to_do < points ? text(", ", points - points_to_do, " done") : "", ", ",
                   network_in_words(model), ", each over ", over_images(images))};
  add_seconds(plan, static_cast<double>(points_to_do),
              {.gradient = true, .eigenvalues = true, .trace = settings.trace_products > 0},
              settings, curvature_spec(flags.curvature, model, images.sets[0]), pool, measurement);
  return plan;
}

}  // namespace topograd
