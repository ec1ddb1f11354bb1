#include "landscape/planes/direction_recipe.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

std::string word(std::string_view name) {
  return std::string(name);
}

std::string split_name(Split split) {
  return split == Split::both ? "both" : split == Split::train ? "train" : "test";
}

Split split_named(const std::string& name) {
  return name == "both" ? Split::both : name == "train" ? Split::train : Split::test;
}

nlohmann::json json_of(const RandomAxis& axis) {
  if (!axis.towards.empty()) return {{"towards", axis.towards}};
  return {{"norm", word(name_of(axis.norm))}, {"ignore", word(name_of(axis.ignore))}};
}

void read(const nlohmann::json& json, RandomAxis& axis) {
  axis.towards = json.value("towards", "");
  if (!axis.towards.empty()) return;
  axis.norm = direction_norm_named(json.at("norm").get<std::string>());
  axis.ignore = ignore_named(json.at("ignore").get<std::string>());
}

nlohmann::json json_of(const ImageSelection& s) {
  nlohmann::json json = {{"source", s.source},
                         {"split", split_name(s.split)},
                         {"noisy_labels", s.noisy_labels},
                         {"count", s.count},
                         {"part", s.part},
                         {"stops_early", s.stops_early},
                         {"shuffled", s.shuffled}};
  if (s.stratified) json["stratified"] = *s.stratified;
  if (s.subset_seed) json["subset_seed"] = *s.subset_seed;
  if (s.parts) json["parts"] = *s.parts;
  if (s.normalisation)
    json["normalisation"] = {{"mean", s.normalisation->mean}, {"std", s.normalisation->std_dev}};
  return json;
}

template <class T>
void read_if_there(const nlohmann::json& json, const char* key, std::optional<T>& value) {
  if (json.contains(key)) value = json.at(key).get<T>();
}

void read(const nlohmann::json& json, ImageSelection& s) {
  s.source = json.at("source").get<std::string>();
  s.split = split_named(json.at("split").get<std::string>());
  s.noisy_labels = json.at("noisy_labels").get<bool>();
  s.count = json.at("count").get<int64_t>();
  s.part = json.at("part").get<int64_t>();
  s.stops_early = json.at("stops_early").get<bool>();
  s.shuffled = json.at("shuffled").get<bool>();
  read_if_there(json, "stratified", s.stratified);
  read_if_there(json, "subset_seed", s.subset_seed);
  read_if_there(json, "parts", s.parts);
  if (!json.contains("normalisation")) return;
  const nlohmann::json& constants = json.at("normalisation");
  s.normalisation = {constants.at("mean").get<std::vector<double>>(),
                     constants.at("std").get<std::vector<double>>()};
}

DirectionType type_in(const nlohmann::json& json) {
  return direction_type_named(json.at("type").get<std::string>());
}

nlohmann::json json_of(const RandomDirections& s) {
  nlohmann::json json = {{"kind", "random"},
                         {"seed", s.seed},
                         {"seeds", s.seeds},
                         {"pair", s.pair},
                         {"type", word(name_of(s.type))},
                         {"x", json_of(s.x)}};
  if (s.y && s.same)
    json["y"] = "x";
  else if (s.y)
    json["y"] = json_of(*s.y);
  if (!s.drawn_at.empty()) json["drawn_at"] = s.drawn_at;
  if (!s.file.empty()) json["file"] = s.file;
  return json;
}

RandomDirections random_in(const nlohmann::json& json) {
  RandomDirections s;
  s.seed = json.at("seed").get<uint64_t>();
  s.seeds = json.at("seeds").get<int64_t>();
  s.pair = json.at("pair").get<uint32_t>();
  s.type = type_in(json);
  read(json.at("x"), s.x);
  s.same = json.contains("y") && json.at("y").is_string();
  if (!json.contains("y"))
    s.y.reset();
  else if (!s.same)
    read(json.at("y"), *s.y);
  s.drawn_at = json.value("drawn_at", "");
  s.file = json.value("file", "");
  return s;
}

nlohmann::json json_of(const DirectionsInFile& s) {
  return parse_json(recipe_of(s));
}

DirectionsInFile file_in(const nlohmann::json& json) {
  return {.file = json.at("file").get<std::string>(),
          .type = type_in(json),
          .line = json.at("line").get<bool>()};
}

nlohmann::json json_of(const NetworkPlane& s) {
  return {{"kind", "networks"},
          {"second", s.second},
          {"third", s.third},
          {"orthonormal", s.orthonormal},
          {"type", word(name_of(s.type))}};
}

NetworkPlane networks_in(const nlohmann::json& json) {
  return {.second = json.at("second").get<std::string>(),
          .third = json.at("third").get<std::string>(),
          .orthonormal = json.at("orthonormal").get<bool>(),
          .type = type_in(json)};
}

nlohmann::json json_of(const EigenvectorPlane& s) {
  return {{"kind", "eigenvectors"},
          {"file", s.file},
          {"x", s.x.text()},
          {"y", s.y.text()},
          {"norm", word(name_of(s.norm))},
          {"ignore", word(name_of(s.ignore))}};
}

EigenvectorPlane eigenvectors_in(const nlohmann::json& json) {
  return {.file = json.at("file").get<std::string>(),
          .x = eigenvector_named(json.at("x").get<std::string>()),
          .y = eigenvector_named(json.at("y").get<std::string>()),
          .norm = direction_norm_named(json.at("norm").get<std::string>()),
          .ignore = ignore_named(json.at("ignore").get<std::string>())};
}

nlohmann::json json_of(const GradientPlane& s) {
  return {{"kind", "gradient"},
          {"seed", s.seed},
          {"norm", word(name_of(s.norm))},
          {"ignore", word(name_of(s.ignore))},
          {"images", json_of(s.images)},
          {"loss", text_of(s.loss)},
          {"batch", s.batch},
          {"forced", s.forced}};
}

GradientPlane gradient_in(const nlohmann::json& json) {
  GradientPlane s;
  s.seed = json.at("seed").get<uint64_t>();
  s.norm = direction_norm_named(json.at("norm").get<std::string>());
  s.ignore = ignore_named(json.at("ignore").get<std::string>());
  read(json.at("images"), s.images);
  s.loss = loss_named(json.at("loss").get<std::string>());
  s.batch = json.at("batch").get<int64_t>();
  json.at("forced").get_to(s.forced);
  return s;
}

nlohmann::json json_of(const PrincipalPlane& s) {
  return parse_json(recipe_of(s));
}

PrincipalPlane components_in(const nlohmann::json& json) {
  return {.checkpoints = json.at("checkpoints").get<std::vector<std::string>>(),
          .ignore = ignore_named(json.at("ignore").get<std::string>()),
          .type = type_in(json)};
}

DirectionRecipe recipe_in(const nlohmann::json& json) {
  const std::string kind = json.at("kind").get<std::string>();
  if (kind == "random") return random_in(json);
  if (kind == "file") return file_in(json);
  if (kind == "networks") return networks_in(json);
  if (kind == "eigenvectors") return eigenvectors_in(json);
  if (kind == "gradient") return gradient_in(json);
  if (kind == "principal_components") return components_in(json);
  fail("a recipe for directions of the unknown kind '", kind, "'");
}

/// Makes directions from each alternative of DirectionRecipe.
struct Maker {
  const LoadedModel& model;
  Device device;

  SurfaceDirections operator()(const RandomDirections& s) const {
    return random_directions(s, model, /*may_write=*/false);
  }
  SurfaceDirections operator()(const DirectionsInFile& s) const {
    return directions_in_file(s, model);
  }
  SurfaceDirections operator()(const NetworkPlane& s) const { return network_plane(s, model); }
  SurfaceDirections operator()(const EigenvectorPlane& s) const {
    return eigenvector_plane(s, model);
  }
  SurfaceDirections operator()(const GradientPlane& s) const {
    ThreadPool pool(0, device);
    for (const auto& [operation, name] : s.forced) pool.force_implementation(operation, name);
    return gradient_plane(s, model, select_images(s.images, model), pool);
  }
  SurfaceDirections operator()(const PrincipalPlane& s) const {
    ThreadPool pool;
    const CheckpointRows checkpoints = read_checkpoints(s.checkpoints, s.type, model);
    return principal_plane(s, checkpoints,
                           components_of(checkpoints, s.ignore, model.graph.layout(), pool), model);
  }
};

}  // namespace

std::string to_json(const DirectionRecipe& recipe) {
  return json_text(std::visit([](const auto& settings) { return json_of(settings); }, recipe));
}

DirectionRecipe direction_recipe(const std::string& json) {
  try {
    return recipe_in(parse_json(json));
  } catch (const std::exception& error) {
    fail("a damaged recipe for directions: ", error.what());
  }
}

SurfaceDirections make_directions(const DirectionRecipe& recipe, const LoadedModel& model,
                                  Device device) {
  return std::visit(Maker{model, device}, recipe);
}

}  // namespace topograd
