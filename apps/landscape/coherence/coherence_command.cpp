#include "apps/landscape/coherence/coherence_command.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/table.h"
#include "apps/landscape/coherence/coherence_map.h"
#include "apps/landscape/coherence/coherence_plan.h"
#include "kernels/core/format.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/result_names.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::string with_error(double value, double error) {
  return significant(value, 4) + " +- " + significant(error, 2);
}

void print_layers(const CoherenceRow& row) {
  cli::out() << '\n';
  std::vector<std::vector<std::string>> table = {{fs::path(row.model_file).filename().string(),
                                                  "|gradient|", "cosine", "smallest", "snr",
                                                  "noise scale"}};
  for (size_t l = 0; l < row.layers.size(); ++l) {
    const CoherenceStatistics& s = row.coherence.layers[l];
    table.push_back({row.layers[l], significant(s.gradient_norm), with_error(s.cosine, s.cosine_se),
                     significant(s.cosine_min, 4), with_error(s.snr, s.snr_se),
                     significant(s.noise_scale, 4)});
  }
  print_table(table);
}

void print_results(const CoherenceResults& results, const CoherenceFlags& flags,
                   const std::string& output) {
  const Provenance& p = results.provenance;
  cli::out() << output << ": gradients of " << p.at("batches") << " minibatches of "
             << p.at("batch_size") << " images, " << p.at("data") << ", BatchNorm "
             << p.at("bn_mode") << '\n';
  std::vector<std::vector<std::string>> table = {{"network", "epoch", "loss", "|gradient|",
                                                  "|of a batch|", "cosine", "smallest", "snr",
                                                  "noise scale"}};
  for (const CoherenceRow& row : results.rows) {
    const CoherenceStatistics& s = row.coherence.all;
    table.push_back({row.model_file, significant(row.epoch), significant(row.coherence.loss),
                     significant(s.gradient_norm), significant(s.batch_gradient_norm),
                     with_error(s.cosine, s.cosine_se), significant(s.cosine_min, 4),
                     with_error(s.snr, s.snr_se), significant(s.noise_scale, 4)});
  }
  print_table(table);
  if (flags.per_layer)
    for (const CoherenceRow& row : results.rows) print_layers(row);
}

}  // namespace

int CoherenceCommand::run(const std::string& typed) {
  return cli::run_interruptible("landscape", [&] {
    const auto observer = cli::observer("landscape");
    const auto pool = flags_.run.pool();
    Provenance provenance;
    describe_run(provenance, pool->device(), typed);
    flags_.settings.loss = flags_.loss.of(flags_.models[0]);
    if (flags_.map.over) return map_coherence(flags_, provenance, *pool, *observer);
    const std::string output = flags_.output.value_or(result_beside(flags_.models[0], "coherence"));
    const auto plans = [&](cli::Measurement measurement) {
      const CoherenceAhead ahead =
          coherence_ahead(flags_.settings, flags_.models, flags_.expected_model.value_or(""),
                          flags_.images, provenance, output, *pool);
      return std::vector{coherence_plan(ahead, output, *pool, measurement)};
    };
    if (!cli::goes_on(flags_.dry_run, plans, *pool, *observer)) return 0;
    const CoherenceResults results =
        analyse_coherence(flags_.settings, flags_.models, flags_.expected_model.value_or(""),
                          flags_.images, provenance, output, *pool, *observer);
    print_results(results, flags_, output);
    if (flags_.map.no_pictures) return 0;
    for (const std::string& path :
         save_figures(result_figures(results.record()), fs::path(output).replace_extension()))
      cli::out() << path << '\n';
    return 0;
  });
}

}  // namespace topograd
