#include "landscape/surface/surface_settings.h"

#include <iomanip>

#include "kernels/tile_conv/tile_conv.h"
#include "landscape/evaluation/image_stages.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

constexpr int64_t kMaxPoints = 10'000'000;

void check_arithmetic(const SurfaceSettings& settings, Device device) {
  const Arithmetic& arithmetic = settings.arithmetic;
  if (arithmetic == Arithmetic{}) return;
  const std::string name = arithmetic.name();
  require(settings.batchnorm.at_points == PointBatchnorm::given, "--precision ", name,
          " has no place beside --bn recompute or batch, which compute in f32");
  if (arithmetic.dtype == DType::f64)
    require(device == Device::cpu,
            "--precision f64: choose --device cpu, which alone has double precision");
  else
    require(device != Device::cpu || has_tile_unit(), "--precision ", name,
            ": this processor has no tile unit (Intel's AMX), and without one f32 is faster");
}

}  // namespace

std::string SurfaceBatchnorm::describe(DirectionType directions) const {
  switch (at_points) {
    case PointBatchnorm::given:
      return directions == DirectionType::states ? "states along the direction" : "frozen";
    case PointBatchnorm::recomputed:
      return text("statistics recomputed in batches of ", batch);
    case PointBatchnorm::batch:
      return text("statistics of batches of ", batch);
  }
  return {};
}

std::string Arithmetic::name() const {
  return std::string(dtype == DType::f64 ? "f64" : name_of(precision));
}

EvaluationSpec SurfaceSettings::spec(const LoadedModel& model, const ImageSets& images,
                                     std::span<const Directions> planes) const {
  return {.graph = model.graph,
          .theta = model.weights.theta,
          .running_stats = model.weights.running_stats,
          .planes = planes,
          .sets = images.sets,
          .losses = quantities(images, {}).evaluated(),
          .dtype = arithmetic.dtype,
          .precision = arithmetic.precision,
          .populations = images.populations,
          .target_se = target_se,
          .batchnorm = batchnorm.at_points,
          .statistics_batch = batchnorm.batch,
          .forced = forced};
}

SurfaceQuantities SurfaceSettings::quantities(const ImageSets& images,
                                              const std::vector<uint64_t>& seeds) const {
  return {.sets = images.names,
          .populations = images.populations,
          .losses = losses,
          .measures = measures,
          .has_answers = images.sets.front().labels.dtype() == DType::i32 ||
                         tells_right_from_wrong(losses.front().kind),
          .counts_differ = target_se > 0,
          .seeds = seeds};
}

void SurfaceSettings::describe(Provenance& p, const LoadedModel& model, const ImageSets& images,
                               DirectionType directions, Device device) const {
  describe_model(p, model);
  images.describe(p);
  images.describe_populations(p);
  std::string names;
  for (const Loss& loss : losses) {
    if (!names.empty()) names += ',';
    names += text_of(loss);
  }
  p["loss"] = names;
  names.clear();
  for (const Loss& measure : measures)
    names += text(names.empty() ? "" : ",", measure_plane(measure));
  if (!names.empty()) p["measures"] = names;
  p["bn_mode"] = batchnorm.describe(directions);
  p["precision"] = arithmetic.name();
  if (target_se > 0)
    p["target_se"] = text(std::setprecision(15), target_se, ", met ", ImageStages::kTimesMet,
                          " times from ", kFirstStage, " images");
  describe_run(p, device, command);
  if (command.empty()) p.erase("command");
}

void check_size(const std::optional<Axis>& x, const std::optional<Axis>& y) {
  int64_t points = 1;
  for (const std::optional<Axis>& axis : {x, y})
    if (axis) points *= axis->points;
  require(points <= kMaxPoints, "a grid of ", points, " points: ask for ", kMaxPoints, " at most");
}

void check(const SurfaceSettings& settings, Device device) {
  require(!settings.losses.empty(), "a surface needs a loss");
  check_size(settings.x, settings.y);
  check_arithmetic(settings, device);
}

}  // namespace topograd
