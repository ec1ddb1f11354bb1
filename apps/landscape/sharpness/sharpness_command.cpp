#include "apps/landscape/sharpness/sharpness_command.h"

#include <deque>
#include <filesystem>

#include "apps/common/cli.h"
#include "apps/landscape/common/network_pace.h"
#include "apps/landscape/sharpness/sharpness_report.h"
#include "landscape/diagnosis/chance.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/run_description.h"
#include "landscape/sharpness/sharpness_analysis.h"

namespace topograd {

namespace {

/// Returns what the panel will not show: that the network knows no more than a guess.
std::string note_on(const SharpnessAnalysis& network) {
  const Measure* error = network.panel().find("error");
  if (!error) return "";
  return note_on_chance(network.image_set(), 100 - error->estimate.value, network.chance(),
                        static_cast<double>(network.images().count()));
}

void report(const SharpnessFlags& flags, const std::deque<SharpnessAnalysis>& networks,
            const std::vector<std::string>& outputs) {
  const std::vector<std::string> labels = labels_of(outputs);
  std::vector<NamedPanel> panels;
  for (size_t i = 0; i < networks.size(); ++i) {
    cli::out() << outputs[i] << ": " << networks[i].title() << '\n';
    if (const std::string note = note_on(networks[i]); !note.empty())
      cli::out() << "note: " << note << '\n';
    panels.push_back({labels[i], networks[i].panel()});
  }
  print_panels(panels);
  for (size_t i = 0; i < panels.size() && flags.reparametrisation_test; ++i) {
    cli::out() << '\n' << (panels.size() > 1 ? labels[i] + ": " : "");
    print_reparametrisation(panels[i].panel, flags.unchanged_within);
    if (!flags.no_pictures)
      save_figures(result_figures(panels[i].panel.record()),
                   std::filesystem::path(outputs[i]).replace_extension().string());
  }
  if (panels.size() > 1) {
    cli::out() << '\n';
    print_rank_correlations(panels, "test_error", flags.settings.seed);
  }
  if (flags.json) write_json(panels, *flags.json);
}

cli::RunPlan plan_of(const SharpnessAnalysis& network, const SharpnessFlags& flags,
                     const std::string& output, ThreadPool& pool, cli::Measurement measurement) {
  const LoadedModel& model = network.model();
  const std::vector<std::string> measures = network.measures_ahead();
  const bool rescaled = flags.reparametrisation_test;
  const int64_t test_images = network.test_images_ahead();
  std::string what = text(measures.size(), measures.size() == 1 ? " measure" : " measures");
  if (rescaled) what += ", and as many of the rescaled network,";
  what += text(" of ", network_in_words(model), ", over ", network.images().count(), " ",
               network.image_description(), " images");
  if (test_images > 0) what += text(" and ", test_images, " test images");
  const CurvatureSpec spec{.graph = model.graph,
                           .theta = model.weights.theta,
                           .running_stats = model.weights.running_stats,
                           .images = network.images(),
                           .loss = flags.settings.loss};
  return {.output = output,
          .what = what,
          .seconds = seconds_for(network.work_ahead(rescaled), spec, pool, measurement)};
}

}  // namespace

int SharpnessCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    const auto observer = cli::observer("landscape");
    const auto pool = flags_.run.pool();
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    const std::vector<std::string> outputs = flags_.outputs();
    flags_.settings.loss = flags_.loss.of(flags_.models[0]);
    std::deque<SharpnessAnalysis> networks;  // read all before the first is measured
    for (size_t i = 0; i < outputs.size(); ++i)
      networks.emplace_back(flags_.settings, load_model(flags_.models[i]), flags_.images,
                            flags_.surfaces.empty() ? "" : flags_.surfaces[i], provenance,
                            outputs[i], *pool, *observer,
                            flags_.dry_run ? Purpose::plan : Purpose::run);
    const auto plans = [&](cli::Measurement measurement) {
      std::vector<cli::RunPlan> all;
      for (size_t i = 0; i < outputs.size(); ++i)
        all.push_back(plan_of(networks[i], flags_, outputs[i], *pool, measurement));
      return all;
    };
    if (!cli::goes_on(flags_.dry_run, plans, *pool, *observer)) return 0;
    try {
      for (SharpnessAnalysis& network : networks) {
        network.measure_all();
        if (flags_.reparametrisation_test) network.test_reparametrisation(flags_.factor);
      }
    } catch (const Interrupted&) {
      if (outputs.size() == 1) throw;
      throw Interrupted(text("what was finished is saved in ", outputs[0], " and the others"));
    }
    report(flags_, networks, outputs);
    return 0;
  });
}

}  // namespace topograd
