#include "apps/common/normalisation_flags.h"

namespace topograd::cli {

namespace {

/// Returns the constants that --mean and --std complete one after the other.
Normalisation& begun(std::optional<Normalisation>& chosen) {
  if (!chosen) chosen.emplace();
  return *chosen;
}

}  // namespace

void add_normalisation_options(Options& options, std::optional<Normalisation>& chosen,
                               const std::string& usual) {
  options.group("Data")
      .named("normalisation", chosen, normalisation_named, normalisation_names(), usual,
             "what is taken off pixels and divides them, by name; none leaves them from 0 to 1")
      .value("mean", "R,G,B",
             "the means instead, of pixels from 0 to 1; one number counts for all channels", "",
             [&chosen](const std::string& option, const std::string& list) {
               begun(chosen).mean = Options::numbers(option, list);
             })
      .value("std", "R,G,B", "with --mean, the deviations", "",
             [&chosen](const std::string& option, const std::string& list) {
               begun(chosen).std_dev = Options::numbers(option, list);
             })
      .exclude("normalisation", "mean", "contradict each other: leave out one of them")
      .exclude("normalisation", "std", "contradict each other: leave out one of them");
}

}  // namespace topograd::cli
