#include "landscape/connectivity/curve_training.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "kernels/core/output_claim.h"
#include "kernels/core/version.h"
#include "landscape/evaluation/model_data.h"
#include "landscape/results/loss_text.h"
#include "nn/json_text.h"
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

CurveTraining::CurveTraining(const CurveTrainingSettings& settings, const LoadedModel& model,
                             const Tensor& b, const std::string& b_hash, std::string path,
                             std::string command, ThreadPool& pool, Observer& observer)
    : settings_(settings),
      model_(model),
      path_(std::move(path)),
      command_(std::move(command)),
      pool_(pool),
      observer_(observer),
      images_(load_images()) {
  settings_.config.flip = data_.train.flips_keep_class;
  const CurveConfig& config = settings_.config;
  identity_ = {{"model_hash", weights_hash(model.weights.theta, model.weights.running_stats)},
               {"to_model_hash", b_hash},
               {"data_hash", hex(data_.train.first(images_.count()).hash())},
               {"images", text(images_.count())},
               {"epochs", text(config.epochs)},
               {"batch_size", text(config.batch_size)},
               {"learning_rate", text(config.schedule.base)},
               {"momentum", text(config.momentum)},
               {"weight_decay", text(config.weight_decay)},
               {"augment", config.augment ? "yes" : "no"},
               {"loss", text_of(config.loss)},
               {"seed", text(config.seed)},
               {"device", std::string(name_of(pool.device()))}};
  if (images_.normalisation != model.info.normalisation)
    identity_["normalisation"] = describe(images_.normalisation);
  trainer_.emplace(model.graph, model.weights.theta, b, config, images_, pool);
}

LabelledImages CurveTraining::load_images() {
  data_ = load_data_for(model_, {.source = settings_.source, .image_size = model_.spec.image_size});
  require(settings_.images <= data_.train.count(), "--curve-images ", settings_.images,
          " is out of range: choose 0 to ", data_.train.count());
  if (settings_.noisy_labels)
    data_.train = noisy_training_data(model_, data_.train, data_source(model_, settings_.source));
  LabelledImages images = data_.train.view();
  images.normalisation = normalisation_of(model_, settings_.normalisation);
  return images.first(settings_.images);
}

std::string CurveTraining::description() const {
  std::string all;
  for (const auto& [key, value] : identity_) all += (all.empty() ? "" : ", ") + key + " " + value;
  return all;
}

void CurveTraining::resume() {
  require(!fs::is_directory(path_), path_, " is a directory; --control names a checkpoint");
  if (!fs::exists(path_)) return;
  const OwnOutputScope own;
  const Checkpoint checkpoint = Checkpoint::read(path_);
  const auto config = json_or_null(checkpoint.info().config);
  require(config.is_object() && config.contains("curve"), path_,
          " is no curve's control point; choose another --control");
  std::string all;
  for (const std::string& reason :
       differences(config.at("curve").get<Provenance>(), identity_, keys_of(identity_)))
    all += (all.empty() ? "" : "; ") + reason;
  require(all.empty(), path_, " belongs to another curve (", all,
          "); choose another --output or --control, or remove the file");
  trainer_->restore(checkpoint.training_state(model_.graph.layout()));
}

int64_t CurveTraining::steps_ahead() const {
  const int64_t all = settings_.config.epochs * trainer_->steps_per_epoch();
  if (!fs::exists(path_)) return all;
  const OwnOutputScope own;
  const TrainingState state = Checkpoint::read(path_).training_state(model_.graph.layout());
  return all - std::min(all, state.optimizer_steps);
}

void CurveTraining::step() {
  if (trainer_->finished()) {
    TrainingState again = trainer_->state();
    again.epoch = again.step = again.optimizer_steps = 0;
    trainer_->restore(again);
  }
  trainer_->step();
}

void CurveTraining::begin() const {
  if (!fs::exists(path_)) save(model_.weights.running_stats);
}

void CurveTraining::save(const Tensor& running_stats) const {
  CheckpointInfo info = model_.info;
  info.normalisation = images_.normalisation;
  info.config = json_text(nlohmann::json{{"curve", identity_}});
  info.notes = {{"version", version()}, {"command", command_}, {"data", data_.train.name}};
  TrainingState state = trainer_->state();
  state.running_stats = running_stats;
  write_checkpoint(path_, model_.graph.layout(), state, info, /*with_training_state=*/true);
}

/// Returns the control point's statistics, as those of a network of its own.
Tensor CurveTraining::statistics() {
  const int64_t batch = std::min(settings_.config.batch_size, images_.count());
  BatchLoader batches(images_, {.batch_size = batch, .augment = false}, pool_);
  Network network(model_.graph, batch, pool_);
  return recomputed_statistics(network, trainer_->state().theta, batches, 0, pool_);
}

bool CurveTraining::train() {
  if (trainer_->finished()) return true;
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const int64_t epochs = settings_.config.epochs;
  const Tensor& unfinished = model_.weights.running_stats;
  const Stage stage(observer_, "curve", epochs * trainer_->steps_per_epoch(),
                    trainer_->state().optimizer_steps);
  double saved_at = 0;
  while (!trainer_->finished()) {
    trainer_->step();
    const TrainingState& state = trainer_->state();
    const double loss = state.epoch_sums.mean();
    observer_.advance(state.optimizer_steps, [&] { return text("loss ", loss_text(loss, 4)); });
    if (state.step == 0)
      observer_.report(text("curve: epoch ", state.epoch, " of ", epochs, ", loss ",
                            loss_text(loss, 4), ", ", decimals(seconds(), 0), " s"));
    const bool stopping = observer_.stop_requested() && !trainer_->finished();
    if (stopping || seconds() - saved_at > settings_.save_seconds) {
      save(unfinished);
      saved_at = seconds();
    }
    if (stopping) return false;
  }
  save(statistics());
  return true;
}

}  // namespace topograd
