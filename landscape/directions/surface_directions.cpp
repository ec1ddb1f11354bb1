#include "landscape/directions/surface_directions.h"

#include <filesystem>
#include <iomanip>

#include "kernels/core/hash.h"
#include "nn/json_text.h"

namespace topograd {

namespace fs = std::filesystem;

std::string directions_hash(const std::vector<Directions>& planes) {
  uint64_t hash = 0;
  for (const Directions& plane : planes)
    for (const Direction& d : {plane.x, plane.y.value_or(Direction{})})
      for (const Tensor& t : {d.parameters, d.running_stats})
        if (t.defined()) hash = content_hash(t.raw(), static_cast<size_t>(t.bytes()), hash);
  return hex(hash);
}

void SurfaceDirections::describe(Provenance& provenance) const {
  provenance["direction_hash"] = directions_hash(planes);
  provenance["x_direction"] = x_text;
  if (!y_text.empty()) provenance["y_direction"] = y_text;
  if (seed) provenance["seed"] = text(*seed);
  provenance["dir_type"] = name_of(type);
  if (!seeds.empty()) provenance["seeds"] = text(seeds.size());
  if (!recipe.empty()) provenance["direction_recipe"] = recipe;
  if (networks.empty()) return;
  std::string& lines = provenance["networks"];
  lines.clear();
  for (const PlacedNetwork& network : networks)
    lines += text(std::setprecision(17), network.name, " ", network.x, " ", network.y, "\n");
}

Direction direction_to(const LoadedModel& model, const std::string& path, DirectionType type) {
  const LoadedModel other = load_model(path);
  require_same_network(other, model, "no line joins them");
  const ModelState &from = model.weights, &to = other.weights;
  return type == DirectionType::states
             ? difference(from.theta, to.theta, from.running_stats, to.running_stats)
             : difference(from.theta, to.theta);
}

SurfaceDirections directions_in_file(const DirectionsInFile& settings, const LoadedModel& model) {
  const std::string& path = settings.file;
  SurfaceDirections found;
  found.type = settings.type;
  found.file = path;
  Directions directions = read_directions(path, model.graph.layout(), settings.type);
  if (settings.line) directions.y.reset();
  require(settings.line || directions.y, path, " holds one direction; a surface needs two");
  found.x_text = "direction x of " + fs::path(path).filename().string();
  if (!settings.line) found.y_text = "direction y of " + fs::path(path).filename().string();
  found.planes.push_back(directions);
  found.recipe = recipe_of(settings);
  return found;
}

std::string recipe_of(const DirectionsInFile& settings) {
  return json_text(nlohmann::json{{"kind", "file"},
                                  {"file", settings.file},
                                  {"type", std::string(name_of(settings.type))},
                                  {"line", settings.line}});
}

}  // namespace topograd
