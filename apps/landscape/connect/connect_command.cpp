#include "apps/landscape/connect/connect_command.h"

#include "apps/common/cli.h"
#include "apps/common/run_plan.h"
#include "apps/landscape/common/network_pace.h"
#include "apps/landscape/connect/connect_report.h"
#include "landscape/connectivity/path_evaluation.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/result_names.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

cli::RunPlan connectivity_plan(const ConnectFlags& flags, const LoadedModel& a,
                               const LoadedModel& b, const ImageSets& images,
                               const ConnectivityAhead& ahead, ThreadPool& pool,
                               cli::Measurement measurement) {
  int64_t count = 0;
  for (const LabelledImages& set : images.sets) count += set.count();
  const int64_t points = ahead.points + ahead.recomputed_points + ahead.done;
  cli::RunPlan plan{.output = flags.output(),
                    .what = text("paths from ", network_name(a.path), " to ", network_name(b.path),
                                 ", ", describe(a.spec), ": ", points, " points",
                                 ahead.done > 0 ? text(", ", ahead.done, " done") : "",
                                 ", each over ", count, " ", images.description, " images")};
  if (flags.settings.curve)
    plan.what += text(", and a curve of ", flags.curve.config.epochs, " epochs on ",
                      ahead.curve_images, " training images, ", ahead.steps, " steps ahead");
  const auto add = [&](int64_t evaluated, const std::string& statistics) {
    if (evaluated == 0) return;
    const NetworkPath line =
        line_between(a.weights, b.weights.theta, b.weights.running_stats, statistics);
    const std::vector<Directions> planes = {line.plane};
    plan.seconds += static_cast<double>(evaluated * count) *
                    seconds_per_evaluation({.graph = a.graph,
                                            .theta = a.weights.theta,
                                            .running_stats = a.weights.running_stats,
                                            .planes = planes,
                                            .sets = images.sets,
                                            .losses = {flags.settings.loss},
                                            .batchnorm = line.batchnorm,
                                            .statistics_batch = flags.settings.statistics_batch,
                                            .forced = flags.settings.forced},
                                           pool, measurement);
  };
  add(ahead.points, "none");
  add(ahead.recomputed_points, "recompute");
  if (ahead.steps > 0)
    plan.seconds +=
        static_cast<double>(ahead.steps) * cli::fastest_seconds(ahead.step, measurement);
  return plan;
}

}  // namespace

int ConnectCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    const auto observer = cli::observer("landscape");
    const auto pool = flags_.run.pool();
    const LoadedModel a = load_model(flags_.models[0], flags_.expected_model.value_or(""));
    const LoadedModel b = load_model(flags_.models[1]);
    flags_.settings.loss = flags_.loss.of(a.info);
    if (flags_.settings.curve) flags_.settings.curve->config.loss = flags_.settings.loss;
    const ImageSets images = select_images(flags_.images, a);
    if (const std::string note = clean_labels_note(flags_.images, a); !note.empty())
      observer->note("note: " + note);
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    const std::string output = flags_.output();
    const auto plans = [&](cli::Measurement measurement) {
      const ConnectivityAhead ahead =
          connectivity_ahead(flags_.settings, a, b, images, provenance, output, *pool, *observer);
      return std::vector{connectivity_plan(flags_, a, b, images, ahead, *pool, measurement)};
    };
    if (!cli::goes_on(flags_.dry_run, plans, *pool, *observer)) return 0;
    const ConnectivityResults results =
        analyse_connectivity(flags_.settings, a, b, images, provenance, output, *pool, *observer);
    print_connectivity(results, output, flags_.settings);
    if (flags_.no_pictures) return 0;
    for (const std::string& path : save_figures(result_figures(results.record()), flags_.stem()))
      cli::out() << path << '\n';
    return 0;
  });
}

}  // namespace topograd
