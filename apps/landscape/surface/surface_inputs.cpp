#include "apps/landscape/surface/surface_inputs.h"

#include <iomanip>
#include <set>

#include "kernels/tile_conv/tile_conv.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

SurfaceInputs::SurfaceInputs(const cxxopts::ParseResult& flags, const std::string& model_path,
                             bool leads_to_models, const ProcessGroup& ranks)
    : flags(flags),
      model(load_model(model_path, cli::text_of(flags, "model"))),
      pool(cli::pool(flags, ranks.threads())) {
  cli::force_implementations(flags, pool);
  losses = cli::losses(flags);
  if (flags.count("target-se")) target_se = cli::real(flags, "target-se", 1e-12, 1e12);
  const std::string dataset = flags["dataset"].as<std::string>();
  require(dataset == "cifar10", "--dataset ", dataset,
          ": only cifar10 is known by name; --data takes any folder of images");
  batchnorm = surface_batchnorm(flags, leads_to_models);
  choose_precision();
  images = surface_images(flags, model, batchnorm.at_point == PointBatchnorm::batch);
}

void SurfaceInputs::choose_precision() {
  const std::string& name = precision_name = flags["precision"].as<std::string>();
  require(std::set<std::string>{"f64", "f32", "tf32", "bf16x3", "bf16"}.contains(name),
          "--precision ", name, ": choose f64, f32, tf32, bf16x3 or bf16");
  if (name == "f32") return;
  require(batchnorm.at_point == PointBatchnorm::given, "--precision ", name,
          " has no place beside --bn recompute or batch, which compute in f32");
  if (name == "f64") {
    require(pool.device() == Device::cpu,
            "--precision f64: choose --device cpu, which alone has double precision");
    dtype = DType::f64;
    return;
  }
  precision = precision_named(name);
  require(pool.device() != Device::cpu || has_tile_unit(), "--precision ", name,
          ": this processor has no tile unit (Intel's AMX), and without one f32 is faster");
}

EvaluationSpec SurfaceInputs::spec(std::span<const Directions> planes) const {
  return {.graph = model.graph,
          .theta = model.weights.theta,
          .running_stats = model.weights.running_stats,
          .planes = planes,
          .sets = images.sets,
          .losses = losses,
          .dtype = dtype,
          .precision = precision,
          .target_se = target_se,
          .batchnorm = batchnorm.at_point,
          .statistics_batch = batchnorm.batch,
          .forced = cli::forced_implementations(flags)};
}

SurfaceQuantities SurfaceInputs::quantities(const std::vector<uint64_t>& seeds) const {
  return {.sets = images.names, .losses = losses, .counts_differ = target_se > 0, .seeds = seeds};
}

void SurfaceInputs::describe(Provenance& p, const std::string& command) const {
  describe_model(p, model);
  images.describe(p);
  std::string names;
  for (LossKind loss : losses) {
    if (!names.empty()) names += ',';
    names += name_of(loss);
  }
  p["loss"] = names;
  p["bn_mode"] = batchnorm.description;
  p["precision"] = precision_name;
  if (target_se > 0) p["target_se"] = text(std::setprecision(15), target_se);
  describe_run(p, pool.device(), command);
}

}  // namespace topograd
