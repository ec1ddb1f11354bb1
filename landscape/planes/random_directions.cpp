#include "landscape/planes/random_directions.h"

#include <filesystem>

#include "kernels/core/version.h"
#include "landscape/planes/direction_recipe.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr Axis kBetweenNetworks{-0.5, 1.5, 41};

std::string describe(const RandomAxis& axis) {
  if (!axis.towards.empty()) return "towards " + network_name(axis.towards);
  return random_direction_text(axis.norm);
}

/// Throws Error if several planes would all be the same, or the seeds would overflow.
void check_seeds(const RandomDirections& s) {
  if (s.seeds == 1) return;
  const bool any_random = s.x.towards.empty() || (s.y && s.y->towards.empty() && !s.same);
  require(any_random, "--seeds needs a random direction; all of these lead to other models");
  require(s.seed <= UINT64_MAX - static_cast<uint64_t>(s.seeds), "--seed ", s.seed,
          ": there are no ", s.seeds, " seeds from there on; choose a smaller one");
}

Direction direction(const RandomDirections& s, const RandomAxis& axis, bool is_y, uint64_t seed,
                    const LoadedModel& model) {
  if (!axis.towards.empty()) return direction_to(model, axis.towards, s.type);
  return random_direction(model.graph.layout(), model.weights.theta, model.weights.running_stats,
                          seed, 2 * s.pair + is_y, axis.norm, axis.ignore, s.type);
}

SurfaceDirections drawn(const RandomDirections& s, const LoadedModel& model) {
  check_seeds(s);
  SurfaceDirections made;
  made.type = s.type;
  made.seed = s.seed;
  made.x_text = describe(s.x);
  if (s.y) made.y_text = s.same ? made.x_text : describe(*s.y);
  for (int64_t k = 0; k < s.seeds; ++k) {
    const uint64_t seed = s.seed + static_cast<uint64_t>(k);
    Directions plane{direction(s, s.x, false, seed, model), {}};
    if (s.y) plane.y = s.same ? plane.x : direction(s, *s.y, true, seed, model);
    made.planes.push_back(plane);
    if (s.seeds > 1) made.seeds.push_back(seed);
  }
  return made;
}

void write(const SurfaceDirections& made, const LoadedModel& model) {
  const Provenance provenance{
      {"model_hash", weights_hash(model.weights.theta, model.weights.running_stats)},
      {"seed", text(*made.seed)},
      {"x", made.x_text},
      {"y", made.y_text},
      {"version", version()}};
  const Directions& plane = made.planes.front();
  write_directions(made.file, model.graph.layout(), made.type, plane.x, plane.y, provenance);
}

SurfaceDirections made_from(const RandomDirections& s, const LoadedModel& model, bool may_write) {
  require(s.file.empty() || s.seeds == 1, "--seeds draws directions of its own, --dir-file ",
          s.file, " has one pair: leave out one of them");
  const bool line = !s.y.has_value();
  if (!s.file.empty() && fs::exists(s.file))
    return directions_in_file({.file = s.file, .type = s.type, .line = line}, model);
  SurfaceDirections made = drawn(s, model);
  made.file = s.file;
  if (!s.file.empty() && may_write) write(made, model);
  made.recipe = to_json(DirectionRecipe(s));
  return made;
}

}  // namespace

SurfaceDirections random_directions(const RandomDirections& settings, const LoadedModel& model,
                                    bool may_write) {
  if (!settings.drawn_at.empty()) {
    const LoadedModel other = load_model(settings.drawn_at);
    require_same_network(model, other, "they are of no one run");
    SurfaceDirections made = made_from(settings, other, may_write);
    const std::string whose = " of " + network_name(settings.drawn_at);
    made.x_text += whose;
    made.y_text += whose;
    return made;
  }
  SurfaceDirections made = made_from(settings, model, may_write);
  made.joins_networks = !settings.y && !settings.x.towards.empty();
  if (made.joins_networks) made.x_axis = kBetweenNetworks;
  return made;
}

}  // namespace topograd
