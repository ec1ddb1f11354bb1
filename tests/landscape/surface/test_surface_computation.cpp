// compute_surface: the right values at the right points, and a file that is continued to the same
// bits, whatever stopped it.
#include "landscape/surface/surface_computation.h"

#include "landscape/planes/random_directions.h"
#include "tests/landscape/small_model.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const ImageSelection kImages{.source = "synthetic", .split = Split::both, .count = 40};

SurfaceSettings grid(const std::string& output = "") {
  return {.output = output, .x = Axis{-1, 1, 5}, .y = Axis{-0.5, 1, 4}, .save_seconds = 0};
}

/// Asks to stop once so many points are done.
class StoppingObserver : public Observer {
 public:
  explicit StoppingObserver(int64_t points) : points_(points) {}
  void advance(int64_t done, const std::function<std::string()>& detail) override {
    done_ = done;
    detail_ = detail();
  }
  void note(const std::string& line) override { notes_ += line + "\n"; }
  bool stop_requested() override { return done_ >= points_; }
  const std::string& detail() const { return detail_; }
  const std::string& notes() const { return notes_; }

 private:
  int64_t points_, done_ = 0;
  std::string detail_, notes_;
};

}  // namespace

TEST_CASE("a surface in memory: every point's loss is that of its own coordinates") {
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images(kImages, model);
  const SurfaceDirections directions = random_directions({.seed = 3}, model);
  ThreadPool pool(2);
  Observer observer;
  const SurfaceSettings settings = grid();
  const Surface surface = compute_surface(settings, model, images, directions, pool, observer);
  CHECK(surface.x() == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  CHECK(surface.y() == std::vector<double>{-0.5, 0, 0.5, 1});
  CHECK(surface.done_count() == 20);
  Evaluator evaluator(settings.spec(model, images, directions.planes), pool);
  for (int64_t iy = 0; iy < surface.ny(); ++iy)
    for (int64_t ix = 0; ix < surface.nx(); ++ix) {
      const PlanePosition here{surface.x()[static_cast<size_t>(ix)],
                               surface.y()[static_cast<size_t>(iy)]};
      const PointSums sums = evaluator.evaluate({&here, 1}).front();
      const auto point = static_cast<size_t>(surface.index(ix, iy));
      CHECK(surface.plane("train_loss")[point] == sums[0][0].mean());
      CHECK(surface.plane("test_loss")[point] == sums[1][0].mean());
      CHECK(surface.plane("train_acc")[point] == sums[0][0].accuracy());
    }
  const Provenance& p = surface.provenance;
  CHECK(p.at("model_hash") == weights_hash(model.weights.theta, model.weights.running_stats));
  CHECK(p.at("direction_hash") == directions_hash(directions.planes));
  CHECK(p.at("bn_mode") == "frozen");
  CHECK(p.at("precision") == "f32");
  CHECK_FALSE(p.contains("command"));
}

TEST_CASE("a line, and the barrier on the way to another network") {
  const TemporaryFolder folder;
  const LoadedModel model = small_model(1);
  save(small_model(2), folder.file("other net.safetensors"));
  const ImageSets images = select_images({.source = "synthetic", .count = 40}, model);
  const SurfaceDirections directions = random_directions(
      {.x = {.towards = folder.file("other net.safetensors")}, .y = std::nullopt}, model);
  ThreadPool pool(1);
  Observer observer;
  const Surface line = compute_surface({}, model, images, directions, pool, observer);
  REQUIRE(line.is_line());
  CHECK(line.nx() == 41);
  CHECK(line.x().front() == -0.5);
  CHECK(line.x().back() == 1.5);
  const std::vector<double>& loss = line.plane("train_loss");
  double rise = 0;
  for (size_t i = 10; i <= 30; ++i) {
    const double t = line.x()[i];
    rise = std::max(rise, loss[i] - (1 - t) * loss[10] - t * loss[30]);
  }
  const std::string kept = line.provenance.at("train_loss_barrier");
  CHECK(std::stod(kept) == doctest::Approx(rise).epsilon(1e-4));
}

TEST_CASE("a surface that was stopped continues to the same bits") {
  const TemporaryFolder folder;
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images(kImages, model);
  const SurfaceDirections directions = random_directions({}, model);
  ThreadPool pool(2);
  Observer silent;
  const Surface whole =
      compute_surface(grid(folder.file("whole.h5")), model, images, directions, pool, silent);
  const SurfaceSettings settings = grid(folder.file("s.h5"));
  StoppingObserver stopping(7);
  try {
    compute_surface(settings, model, images, directions, pool, stopping);
    FAIL("it was not stopped");
  } catch (const Interrupted& stopped) {
    const Surface saved = Surface::load(settings.output);
    CHECK(saved.done_count() >= 7);
    CHECK(saved.done_count() < 20);
    CHECK(std::string(stopped.what()) ==
          text(saved.done_count(), " of 20 points are saved in ", settings.output));
  }
  CHECK(stopping.detail().find("/20 points") != std::string::npos);
  StoppingObserver patient(1000);
  const Surface continued = compute_surface(settings, model, images, directions, pool, patient);
  CHECK(patient.notes().find("continuing") != std::string::npos);
  CHECK(continued.planes() == whole.planes());
  CHECK(contents(settings.output) == contents(folder.file("whole.h5")));
}

TEST_CASE("other arithmetic leaves a receipt; what does not fit is refused") {
  const TemporaryFolder folder;
  const LoadedModel model = small_model(1);
  const ImageSets images = select_images({.source = "synthetic", .count = 10}, model);
  const SurfaceDirections directions = random_directions({}, model);
  ThreadPool pool(1);
  Observer observer;
  SurfaceSettings settings = grid(folder.file("s.h5"));
  settings.arithmetic = {.dtype = DType::f64};
  const Surface surface = compute_surface(settings, model, images, directions, pool, observer);
  CHECK(surface.provenance.at("precision") == "f64");
  CHECK(surface.provenance.at("precision_check").find("points again in f32") != std::string::npos);
  CHECK(Surface::load(settings.output).provenance.contains("precision_check"));
  settings.arithmetic = {};
  const auto refused = [&](const SurfaceSettings& s, const SurfaceDirections& d,
                           const std::string& word) {
    CHECK_THROWS_WITH_AS(compute_surface(s, model, images, d, pool, observer),
                         doctest::Contains(word.c_str()), Error);
  };
  refused(settings, directions, "precision");
  settings.arithmetic = {.dtype = DType::f64};
  refused(settings, random_directions({.seed = 2}, model), "direction_hash");
  settings.x = Axis{-1, 1, 7};
  refused(settings, directions, "the grid is another one");
  settings.batchnorm.at_points = PointBatchnorm::batch;
  refused(settings, directions, "--bn");
  refused({.losses = {}}, directions, "needs a loss");
}
