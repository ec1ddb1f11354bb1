#include "apps/landscape/surface/recorded_directions.h"

#include <filesystem>
#include <sstream>

#include "apps/landscape/surface/surface_command.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::string get(const Provenance& provenance, const std::string& key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

/// The directions of a surface that was computed earlier, from its file of directions or by its own
/// command; known by the hash to be the same.
class DirectionsOfSurface {
 public:
  DirectionsOfSurface(const Surface& surface, const std::string& path, const LoadedModel& model)
      : surface_(surface), path_(path), model_(model) {
    type_ = get(surface.provenance, "dir_type") == "states" ? DirectionType::states
                                                            : DirectionType::weights;
  }

  SurfaceDirections find(const std::string& dir_file) const {
    require(get(surface_.provenance, "seeds").empty(), path_, " is a mean over ",
            get(surface_.provenance, "seeds"),
            " pairs of directions: there is no one plane to go over; compute it without --seeds");
    for (const std::string& file : {dir_file, surface_.dir_file, beside_surface()})
      if (!file.empty() && (file == dir_file || fs::exists(file))) return from_file(file);
    return from_command();
  }

 private:
  /// The file of directions where the surface was moved together with it.
  std::string beside_surface() const {
    if (surface_.dir_file.empty()) return {};
    return (fs::path(path_).parent_path() / fs::path(surface_.dir_file).filename()).string();
  }

  SurfaceDirections from_file(const std::string& file) const {
    SurfaceDirections found;
    found.type = type_;
    Directions directions = read_directions(file, model_.graph.layout(), type_);
    if (surface_.is_line()) directions.y.reset();
    require(surface_.is_line() || directions.y, file, " holds one direction, ", path_,
            " is a plane of two");
    found.x_text = get(surface_.provenance, "x_direction");
    found.y_text = get(surface_.provenance, "y_direction");
    found.planes.push_back(std::move(directions));
    require_same(found, file);
    return found;
  }

  /// The words of the command that the surface's file keeps, read once more.
  SurfaceDirections from_command() const {
    const std::string command = get(surface_.provenance, "command");
    std::string reason = "its file keeps no command";
    if (!command.empty()) try {
        return made_by(command);
      } catch (const std::exception& error) {
        reason = error.what();
      }
    fail("the directions of ", path_, " cannot be had again (", reason,
         "); name their file with --dir-file, which landscape surface --dir-file writes");
  }

  SurfaceDirections made_by(const std::string& command) const {
    std::vector<std::string> words;
    std::istringstream in(command);
    for (std::string word; in >> word;) words.push_back(word);
    require(words.size() > 2, "its command is '", command, "'");
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    cli::Arguments arguments(static_cast<int>(pointers.size()) - 1, pointers.data() + 1);
    const std::optional<SurfaceKind> kind = surface_kind_named(words[1]);
    require(kind.has_value(), "its command is '", command, "'");
    cxxopts::Options options = surface_flags(*kind);
    const cxxopts::ParseResult flags = options.parse(arguments.argc(), arguments.argv());
    SurfaceDirections found = made_again(flags, *kind, command);
    require_same(found, "its command");
    return found;
  }

  SurfaceDirections made_again(const cxxopts::ParseResult& flags, SurfaceKind kind,
                               const std::string& typed) const {
    const bool around_one = kind == SurfaceKind::line ||
                            (kind == SurfaceKind::surface &&
                             !std::filesystem::is_directory(cli::text_of(flags, "model-file")));
    if (around_one)  // the model that is here, wherever it was then
      return surface_directions(flags, model_, type_, surface_.is_line(), /*may_write=*/false);
    const SurfaceJob command = surface_commands(flags, kind, typed).back();
    SurfaceInputs inputs(flags, command.model_path, command.leads_to_models, *single_process());
    return command.place(inputs, /*lead=*/false).directions;
  }

  void require_same(const SurfaceDirections& found, const std::string& source) const {
    const std::string expected = get(surface_.provenance, "direction_hash");
    Provenance own;
    found.describe(own);
    require(expected.empty() || own.at("direction_hash") == expected, source,
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
  const std::string its = get(surface.provenance, "model_hash");
  require(its == hash || its.empty(), path, " is a surface of another network (",
          get(surface.provenance, "model_file"), ", hash ", its, "); ", model.path, " has ", hash);
  return DirectionsOfSurface(surface, path, model).find(dir_file);
}

}  // namespace topograd
