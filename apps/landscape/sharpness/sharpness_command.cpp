#include "apps/landscape/sharpness/sharpness_command.h"

#include <deque>
#include <filesystem>
#include <iostream>

#include "apps/common/terminal_observer.h"
#include "apps/landscape/sharpness/sharpness_report.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/run_description.h"
#include "landscape/sharpness/sharpness_analysis.h"

namespace topograd {

namespace {

void report(const SharpnessFlags& flags, const std::deque<SharpnessAnalysis>& networks,
            const std::vector<std::string>& outputs) {
  const std::vector<std::string> labels = labels_of(outputs);
  std::vector<NamedPanel> panels;
  for (size_t i = 0; i < networks.size(); ++i) {
    std::cout << outputs[i] << ": " << networks[i].title() << '\n';
    panels.push_back({labels[i], networks[i].panel()});
  }
  print_panels(panels);
  for (size_t i = 0; i < panels.size() && flags.reparametrisation_test; ++i) {
    std::cout << '\n' << (panels.size() > 1 ? labels[i] + ": " : "");
    print_reparametrisation(panels[i].panel, flags.unchanged_within);
    if (!flags.no_pictures)
      save_figures(result_figures(panels[i].panel.record()),
                   std::filesystem::path(outputs[i]).replace_extension().string());
  }
  if (panels.size() > 1) {
    std::cout << '\n';
    print_rank_correlations(panels, "test_error", flags.settings.seed);
  }
  if (flags.json) write_json(panels, *flags.json);
}

}  // namespace

int SharpnessCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    cli::TerminalObserver observer("landscape");
    const auto pool = flags_.run.pool();
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    const std::vector<std::string> outputs = flags_.outputs();
    std::deque<SharpnessAnalysis> networks;  // read all before the first is measured
    for (size_t i = 0; i < outputs.size(); ++i)
      networks.emplace_back(flags_.settings, load_model(flags_.models[i]), flags_.images,
                            flags_.surfaces.empty() ? "" : flags_.surfaces[i], provenance,
                            outputs[i], *pool, observer);
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
