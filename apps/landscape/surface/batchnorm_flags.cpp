#include "apps/landscape/surface/batchnorm_flags.h"

namespace topograd {

void BatchnormFlags::add_to(cli::Options& options) {
  options.group("Directions")
      .choice(
          "dir-type", type,
          {{"weights", DirectionType::weights}, {"states", DirectionType::states}},
          "weights, or states: BatchNorm's running statistics move too (default: states where a "
          "direction leads to another model, else weights)")
      .choice("bn", mode,
              {{"frozen", Mode::frozen},
               {"states", Mode::states},
               {"recompute", Mode::recompute},
               {"batch", Mode::batch}},
              "BatchNorm: frozen, the network's running statistics; states, moved along the "
              "direction (as --dir-type states); recompute, re-estimated at every point; batch, "
              "each batch's own")
      .integer("bn-batch", batch, {2, 1 << 20},
               "images of a batch, for --bn recompute and batch (default: 128)");
}

void BatchnormFlags::check() const {
  if (mode == Mode::recompute || mode == Mode::batch) return;
  require(!batch, "--bn-batch decides nothing without --bn recompute or --bn batch");
  if (!mode || !type) return;
  require((mode == Mode::states) == (type == DirectionType::states), "--bn ",
          mode == Mode::states ? "states" : "frozen", " and --dir-type ", name_of(*type),
          " contradict each other: leave out one of them");
}

SurfaceBatchnorm BatchnormFlags::batchnorm() const {
  SurfaceBatchnorm chosen;
  if (mode == Mode::recompute) chosen.at_points = PointBatchnorm::recomputed;
  if (mode == Mode::batch) chosen.at_points = PointBatchnorm::batch;
  chosen.batch = batch.value_or(chosen.batch);
  return chosen;
}

DirectionType BatchnormFlags::directions(bool leads_to_network) const {
  if (type) return *type;
  const bool moves = mode ? mode == Mode::states : leads_to_network;
  return moves ? DirectionType::states : DirectionType::weights;
}

}  // namespace topograd
