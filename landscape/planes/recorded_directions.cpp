#include "landscape/planes/recorded_directions.h"

#include <filesystem>

#include "landscape/planes/direction_recipe.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

class DirectionsOfSurface {
 public:
  DirectionsOfSurface(const Surface& surface, const std::string& path, const LoadedModel& model)
      : surface_(surface), path_(path), model_(model) {
    type_ = fact("dir_type") == "states" ? DirectionType::states : DirectionType::weights;
  }

  SurfaceDirections find(const std::string& dir_file) const {
    require(fact("seeds").empty(), path_, " is a mean over ", fact("seeds"),
            " pairs of directions: there is no one plane to go over; compute it without --seeds");
    for (const std::string& file : {dir_file, surface_.dir_file, beside_surface()})
      if (!file.empty() && (file == dir_file || fs::exists(file))) return from_file(file);
    return from_recipe();
  }

 private:
  std::string fact(const std::string& key) const { return value_of(surface_.provenance, key); }

  /// Returns the path of a direction file that was moved together with the surface.
  std::string beside_surface() const {
    if (surface_.dir_file.empty()) return {};
    return (fs::path(path_).parent_path() / fs::path(surface_.dir_file).filename()).string();
  }

  SurfaceDirections from_file(const std::string& file) const {
    SurfaceDirections found =
        directions_in_file({.file = file, .type = type_, .line = surface_.is_line()}, model_);
    found.file.clear();  // keeps the surface's dir_file unchanged
    found.recipe = fact("direction_recipe");
    found.x_text = fact("x_direction");
    found.y_text = fact("y_direction");
    require_same(found, file);
    return found;
  }

  SurfaceDirections from_recipe() const {
    const std::string recipe = fact("direction_recipe");
    std::string reason =
        "its file does not say how they were made: repeating its command adds that";
    if (!recipe.empty()) try {
        const std::string device = fact("device");
        SurfaceDirections found = make_directions(
            direction_recipe(recipe), model_, device.empty() ? Device::cpu : device_named(device));
        found.networks.clear();
        require_same(found, "what it says of them");
        return found;
      } catch (const Error& error) {
        reason = error.what();
      }
    fail("the directions of ", path_, " cannot be had again (", reason,
         "); name their file with --dir-file, which landscape surface --dir-file writes");
  }

  void require_same(const SurfaceDirections& found, const std::string& source) const {
    const std::string expected = fact("direction_hash");
    require(expected.empty() || directions_hash(found.planes) == expected, source,
            " gives other directions than those of ", path_);
  }

  const Surface& surface_;
  const std::string& path_;
  const LoadedModel& model_;
  DirectionType type_;
};

}  // namespace

SurfaceDirections directions_of_surface(const Surface& surface, const std::string& path,
                                        const LoadedModel& model, const std::string& dir_file) {
  const std::string hash = weights_hash(model.weights.theta, model.weights.running_stats);
  const Provenance& p = surface.provenance;
  const std::string its = value_of(p, "model_hash");
  require(its == hash || its.empty(), path, " is a surface of another network (",
          p.contains("function") ? title_of(p) : value_of(p, "model_file"), ", hash ", its, "); ",
          model.path, " has ", hash);
  return DirectionsOfSurface(surface, path, model).find(dir_file);
}

}  // namespace topograd
