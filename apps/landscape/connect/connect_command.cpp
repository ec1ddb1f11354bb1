#include "apps/landscape/connect/connect_command.h"

#include <iostream>

#include "apps/common/terminal_observer.h"
#include "apps/landscape/connect/connect_report.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/run_description.h"

namespace topograd {

int ConnectCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    cli::TerminalObserver observer("landscape");
    const auto pool = flags_.run.pool();
    const LoadedModel a = load_model(flags_.models[0], flags_.expected_model.value_or(""));
    const LoadedModel b = load_model(flags_.models[1]);
    const ImageSets images = select_images(flags_.images, a);
    if (const std::string note = clean_labels_note(flags_.images, a); !note.empty())
      observer.note("note: " + note);
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    const std::string output = flags_.output();
    const ConnectivityResults results =
        analyse_connectivity(flags_.settings, a, b, images, provenance, output, *pool, observer);
    print_connectivity(results, output, flags_.settings);
    if (flags_.no_pictures) return 0;
    for (const std::string& path : save_figures(result_figures(results.record()), flags_.stem()))
      std::cout << path << '\n';
    return 0;
  });
}

}  // namespace topograd
