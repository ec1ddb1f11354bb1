// Recipes of directions: what is written is read again, and makes the same directions; a surface's
// file is enough to have its plane once more.
#include "landscape/planes/direction_recipe.h"

#include "landscape/planes/recorded_directions.h"
#include "landscape/surface/surface_computation.h"
#include "tests/landscape/small_model.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A recipe of each kind with nothing as it is by default, and the text of each.
const std::vector<std::pair<DirectionRecipe, std::string>> kRecipes = {
    {RandomDirections{.seed = 18446744073709551615u,
                      .seeds = 3,
                      .pair = 2,
                      .x = {.norm = DirectionNorm::layer, .ignore = Ignore::none},
                      .y = RandomAxis{.towards = "my nets/b.safetensors"},
                      .type = DirectionType::states,
                      .drawn_at = "run \"1\"/epoch_3.safetensors",
                      .file = "d.h5"},
     R"({"drawn_at":"run \"1\"/epoch_3.safetensors","file":"d.h5","kind":"random","pair":2,)"
     R"("seed":18446744073709551615,"seeds":3,"type":"states","x":{"ignore":"none","norm":"layer"},)"
     R"("y":{"towards":"my nets/b.safetensors"}})"},
    {RandomDirections{.y = std::nullopt},
     R"({"kind":"random","pair":0,"seed":1,"seeds":1,"type":"weights",)"
     R"("x":{"ignore":"biasbn","norm":"filter"}})"},
    {RandomDirections{.same = true},
     R"({"kind":"random","pair":0,"seed":1,"seeds":1,"type":"weights",)"
     R"("x":{"ignore":"biasbn","norm":"filter"},"y":"x"})"},
    {DirectionsInFile{.file = "d 1.h5", .type = DirectionType::states, .line = true},
     R"({"file":"d 1.h5","kind":"file","line":true,"type":"states"})"},
    {NetworkPlane{.second = "b", .third = "c", .orthonormal = true, .type = DirectionType::weights},
     R"({"kind":"networks","orthonormal":true,"second":"b","third":"c","type":"weights"})"},
    {EigenvectorPlane{.file = "h.h5",
                      .x = {.largest = false, .number = 2},
                      .y = {.largest = true, .number = 3},
                      .norm = DirectionNorm::filter,
                      .ignore = Ignore::biasbn},
     R"({"file":"h.h5","ignore":"biasbn","kind":"eigenvectors","norm":"filter","x":"smallest:2",)"
     R"("y":"largest:3"})"},
    {GradientPlane{.seed = 5,
                   .norm = DirectionNorm::none,
                   .ignore = Ignore::none,
                   .images = {.source = "my data",
                              .split = Split::both,
                              .noisy_labels = true,
                              .count = 10,
                              .stratified = true,
                              .subset_seed = 4,
                              .parts = 2,
                              .part = 1,
                              .stops_early = true,
                              .normalisation = Normalisation{{0.5}, {0.25}},
                              .shuffled = true},
                   .loss = LossKind::mse,
                   .batch = 16,
                   .forced = {{"gemm", "reference"}}},
     R"({"batch":16,"forced":[["gemm","reference"]],"ignore":"none","images":{"count":10,)"
     R"("noisy_labels":true,"normalisation":{"mean":[0.5],"std":[0.25]},"part":1,"parts":2,"shuffled":true,"source":"my data","split":"both",)"
     R"("stops_early":true,"stratified":true,"subset_seed":4},"kind":"gradient","loss":"mse",)"
     R"("norm":"none","seed":5})"},
    {PrincipalPlane{
         .checkpoints = {"a b", "c"}, .ignore = Ignore::biasbn, .type = DirectionType::states},
     R"({"checkpoints":["a b","c"],"ignore":"biasbn","kind":"principal_components",)"
     R"("type":"states"})"},
};

/// A folder with a blank in its name and three networks in it.
class Networks {
 public:
  Networks() {
    std::filesystem::create_directory(folder_.file("my nets"));
    for (int k = 0; k < 3; ++k) save(small_model(static_cast<uint64_t>(k) + 1), path(k), k);
  }
  std::string path(int k) const { return folder_.file(text("my nets/epoch_", k, ".safetensors")); }
  std::string file(const std::string& name) const { return folder_.file("my nets/" + name); }

 private:
  TemporaryFolder folder_;
};

/// The surface of one point that a command would leave in a file.
Surface surface_on(const SurfaceDirections& directions, const LoadedModel& model) {
  Surface surface({0}, directions.is_line() ? std::vector<double>() : std::vector<double>{0});
  directions.describe(surface.provenance);
  surface.dir_file = directions.file;
  surface.provenance["model_hash"] = weights_hash(model.weights.theta, model.weights.running_stats);
  return surface;
}

void check_found_again(const SurfaceDirections& made, const LoadedModel& model) {
  const SurfaceDirections found = directions_of_surface(surface_on(made, model), "s.h5", model, "");
  CHECK(directions_hash(found.planes) == directions_hash(made.planes));
  CHECK(found.x_text == made.x_text);
  CHECK(found.y_text == made.y_text);
  CHECK(found.recipe == made.recipe);
}

}  // namespace

TEST_CASE("recipes as JSON and back") {
  for (const auto& [recipe, json] : kRecipes) {
    CHECK(to_json(recipe) == json);
    CHECK(to_json(direction_recipe(json)) == json);
  }
  CHECK_THROWS_WITH_AS(direction_recipe("{"), doctest::Contains("damaged recipe"), Error);
  CHECK_THROWS_WITH_AS(direction_recipe(R"({"kind": "random"})"), doctest::Contains("seed"), Error);
  CHECK_THROWS_WITH_AS(direction_recipe(R"({"kind": "magic"})"), doctest::Contains("magic"), Error);
}

TEST_CASE("directions of a surface are made again, with blanks in every path") {
  const Networks networks;
  const LoadedModel model = load_model(networks.path(2));
  SUBCASE("random") {
    check_found_again(random_directions({.seed = 7, .pair = 1}, model), model);
    check_found_again(random_directions({.y = std::nullopt}, model), model);
    check_found_again(random_directions({.same = true}, model), model);
  }
  SUBCASE("towards networks, and drawn at another") {
    check_found_again(
        random_directions({.x = {.towards = networks.path(0)}, .type = DirectionType::states},
                          model),
        model);
    check_found_again(random_directions({.drawn_at = networks.path(1)}, model), model);
  }
  SUBCASE("kept in a file, which then is gone") {
    const std::string file = networks.file("d.h5");
    const SurfaceDirections made = random_directions({.file = file}, model);
    check_found_again(made, model);
    std::filesystem::remove(file);
    check_found_again(made, model);
  }
  SUBCASE("through networks") {
    check_found_again(
        network_plane({.second = networks.path(0), .third = networks.path(1), .orthonormal = true},
                      model),
        model);
  }
  SUBCASE("along the gradient") {
    const GradientPlane settings{.seed = 3, .images = {.source = "synthetic", .count = 8}};
    ThreadPool pool(2);
    check_found_again(gradient_plane(settings, model, select_images(settings.images, model), pool),
                      model);
  }
  SUBCASE("principal components") {
    const PrincipalPlane settings{
        .checkpoints = {networks.path(0), networks.path(1), networks.path(2)}};
    check_found_again(make_directions(settings, model, Device::cpu), model);
  }
}

TEST_CASE("a file that does not say how its directions were made, and what it takes") {
  const Networks networks;
  const LoadedModel model = load_model(networks.path(0));
  const ImageSets images = select_images({.source = "synthetic", .count = 8}, model);
  const SurfaceDirections directions = random_directions({}, model);
  const SurfaceSettings settings{
      .output = networks.file("s.h5"), .x = Axis{0, 1, 2}, .y = Axis{0, 1, 2}};
  ThreadPool pool(1);
  Observer observer;
  Surface old = compute_surface(settings, model, images, directions, pool, observer);
  old.provenance.erase("direction_recipe");
  old.save(settings.output);
  const auto find = [&] {
    return directions_of_surface(Surface::load(settings.output), settings.output, model, "");
  };
  CHECK_THROWS_WITH_AS(find(), doctest::Contains("repeating its command adds that"), Error);
  CHECK_THROWS_WITH_AS(find(), doctest::Contains("--dir-file"), Error);
  compute_surface(settings, model, images, directions, pool, observer);
  CHECK(directions_hash(find().planes) == directions_hash(directions.planes));
}

TEST_CASE("a recipe that gives other directions is refused") {
  const Networks networks;
  const LoadedModel model = load_model(networks.path(0));
  Surface surface = surface_on(random_directions({.seed = 1}, model), model);
  surface.provenance["direction_recipe"] = to_json(RandomDirections{.seed = 2});
  CHECK_THROWS_WITH_AS(directions_of_surface(surface, "s.h5", model, ""),
                       doctest::Contains("gives other directions than those of s.h5"), Error);
}
