#include "apps/landscape/surface/batchnorm_flags.h"

namespace topograd {

namespace {

/// "frozen" and "states" are another way to say --dir-type weights and states.
void require_agreement(const std::string& mode, const std::string& type) {
  if (type.empty() || (mode != "frozen" && mode != "states")) return;
  require((mode == "states") == (type == "states"), "--bn ", mode, " and --dir-type ", type,
          " contradict each other: leave out one of them");
}

}  // namespace

SurfaceBatchnorm surface_batchnorm(const cxxopts::ParseResult& flags, bool leads_to_model) {
  const std::string type = cli::text_of(flags, "dir-type");
  if (!type.empty()) direction_type_named(type);
  // On the way to another network BatchNorm's statistics move too: alpha = 1 is that network.
  const bool moves = type.empty() ? leads_to_model : type == "states";
  const std::string mode = cli::text_of(flags, "bn", moves ? "states" : "frozen");
  require(mode == "frozen" || mode == "states" || mode == "recompute" || mode == "batch", "--bn ",
          mode, ": choose frozen, states, recompute or batch");
  require_agreement(mode, type);
  SurfaceBatchnorm chosen;
  if (mode == "frozen" || mode == "states") {
    require(flags.count("bn-batch") == 0,
            "--bn-batch decides nothing without --bn recompute or --bn batch");
    chosen.directions = mode == "states" ? DirectionType::states : DirectionType::weights;
    chosen.description = mode == "states" ? "states along the direction" : "frozen";
    return chosen;
  }
  if (type == "states") chosen.directions = DirectionType::states;
  chosen.batch = cli::whole(flags, "bn-batch", 2, 1 << 20);
  chosen.at_point = mode == "batch" ? PointBatchnorm::batch : PointBatchnorm::recomputed;
  chosen.description =
      text(mode == "batch" ? "statistics of batches of " : "statistics recomputed in batches of ",
           chosen.batch);
  return chosen;
}

}  // namespace topograd
