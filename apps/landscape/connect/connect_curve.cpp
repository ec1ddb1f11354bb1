#include "apps/landscape/connect/connect_curve.h"

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/progress.h"
#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "kernels/core/version.h"
#include "nn/weight_average.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> keys_of(const Provenance& facts) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : facts) keys.push_back(key);
  return keys;
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
void add_curve_flags(cxxopts::Options& options) {
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Curve")
      ("epochs", "train a quadratic Bezier curve for that many (0: none)", value("0"))
      ("control", "the checkpoint of its control point, which training continues from (default: the "
                  "output's name with _control)", string())
      ("lr", "learning rate, which falls along a cosine", value("0.03"))
      ("momentum", "of SGD", value("0.9"))
      ("weight-decay", "of the networks on the curve", value("5e-4"))
      ("batch-size", "images of a step", value("128"))
      ("curve-images", "train it on the first n training images (0: all)", value("0"))
      ("no-augment", "no random crops and flips")
      ("save-seconds", "save unfinished training that often", value("60"));
}
// clang-format on

CurveRun::CurveRun(const cxxopts::ParseResult& flags, const LoadedModel& model, const Tensor& b,
                   const std::string& b_hash, std::string path, const std::string& command,
                   ThreadPool& pool)
    : flags_(flags),
      model_(model),
      path_(std::move(path)),
      command_(command),
      pool_(pool),
      images_(load_images()) {
  const CurveConfig chosen = config();
  settings_ = {{"model_hash", weights_hash(model.weights.theta, model.weights.running_stats)},
               {"to_model_hash", b_hash},
               {"data_hash", hex(data_.train.first(images_.count()).hash())},
               {"images", text(images_.count())},
               {"epochs", text(chosen.epochs)},
               {"batch_size", text(chosen.batch_size)},
               {"learning_rate", text(chosen.schedule.base)},
               {"momentum", text(chosen.momentum)},
               {"weight_decay", text(chosen.weight_decay)},
               {"augment", chosen.augment ? "yes" : "no"},
               {"loss", std::string(name_of(chosen.loss))},
               {"seed", text(chosen.seed)},
               {"device", std::string(name_of(pool.device()))}};
  trainer_.emplace(model.graph, model.weights.theta, b, chosen, images_, pool);
  resume();
}

LabelledImages CurveRun::load_images() {
  DataSpec spec;
  spec.source = cli::text_of(flags_, "data", "synthetic");
  spec.image_size = model_.spec.image_size;
  data_ = load_data(spec);
  const int64_t count = cli::whole(flags_, "curve-images", 0, data_.train.count());
  if (flags_.count("noisy-labels"))
    data_.train = noisy_training_data(model_, data_.train, spec.source);
  LabelledImages images = data_.train.view();
  images.normalisation = model_.info.normalisation;
  return images.first(count);
}

CurveConfig CurveRun::config() const {
  CurveConfig config;
  config.epochs = cli::whole(flags_, "epochs", 1, 1'000'000);
  config.batch_size = cli::whole(flags_, "batch-size", 2, 1 << 20);
  config.schedule.base = cli::real(flags_, "lr", 1e-12, 1e6);
  config.momentum = cli::real(flags_, "momentum", 0, 1);
  config.weight_decay = cli::real(flags_, "weight-decay", 0, 1e6);
  config.augment = flags_.count("no-augment") == 0;
  config.flip = data_.train.flips_keep_class;
  config.seed = cli::seed(flags_);
  config.loss = cli::loss(flags_);
  return config;
}

std::string CurveRun::description() const {
  std::string all;
  for (const auto& [key, value] : settings_) all += (all.empty() ? "" : ", ") + key + " " + value;
  return all;
}

void CurveRun::resume() {
  require(!fs::is_directory(path_), path_, " is a directory; --control names a checkpoint");
  if (!fs::exists(path_)) return;
  const Checkpoint checkpoint = Checkpoint::read(path_);
  const auto config = nlohmann::json::parse(checkpoint.info().config, nullptr, false);
  require(config.is_object() && config.contains("curve"), path_,
          " is no curve's control point; choose another --control");
  std::string all;
  for (const std::string& reason :
       differences(config.at("curve").get<Provenance>(), settings_, keys_of(settings_)))
    all += (all.empty() ? "" : "; ") + reason;
  require(all.empty(), path_, " belongs to another curve (", all,
          "); choose another --output or --control, or remove the file");
  trainer_->restore(checkpoint.training_state(model_.graph.layout()));
}

void CurveRun::begin() const {
  if (!fs::exists(path_)) save(model_.weights.running_stats);
}

void CurveRun::save(const Tensor& running_stats) const {
  CheckpointInfo info = model_.info;
  info.config = nlohmann::json{{"curve", settings_}}.dump();
  info.notes = {{"version", version()}, {"command", command_}, {"data", data_.train.name}};
  TrainingState state = trainer_->state();
  state.running_stats = running_stats;
  write_checkpoint(path_, model_.graph.layout(), state, info, /*with_training_state=*/true);
}

/// Of the control point, as a network of its own.
Tensor CurveRun::statistics() {
  const int64_t batch = std::min(config().batch_size, images_.count());
  BatchLoader batches(images_, {.batch_size = batch, .augment = false}, pool_);
  Network network(model_.graph, batch, pool_);
  return recomputed_statistics(network, trainer_->state().theta, batches, 0, pool_);
}

bool CurveRun::train() {
  if (trainer_->finished()) return true;
  const int64_t steps = trainer_->steps_per_epoch();
  const int64_t epochs = config().epochs;
  const double save_seconds = cli::real(flags_, "save-seconds", 0, 1e9);
  const Tensor& unfinished = model_.weights.running_stats;
  ProgressBar bar(epochs * steps, trainer_->state().optimizer_steps);
  double saved_at = 0;
  while (!trainer_->finished()) {
    trainer_->step();
    const TrainingState& state = trainer_->state();
    const double loss = state.epoch_sums.mean();
    bar.update(state.optimizer_steps, "curve", text("loss ", decimals(loss, 4)));
    if (state.step == 0) {
      bar.clear();
      std::cout << "curve: epoch " << state.epoch << " of " << epochs << ", loss "
                << decimals(loss, 4) << ", " << decimals(bar.seconds(), 0) << " s" << std::endl;
    }
    const bool stopping = cli::interrupted() && !trainer_->finished();
    if (stopping || bar.seconds() - saved_at > save_seconds) {
      save(unfinished);
      saved_at = bar.seconds();
    }
    if (stopping) return false;
  }
  save(statistics());
  return true;
}

}  // namespace topograd
