#include "apps/train/run_config.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "data/label_noise.h"
#include "kernels/core/check.h"
#include "kernels/core/hash.h"
#include "nn/json_text.h"

namespace topograd {

using Json = nlohmann::ordered_json;

namespace {

/// Returns a saved configuration without its extensions, and these.
std::pair<Json, Json> without_extensions(const std::string& saved) {
  Json config = json_or_null(saved);
  if (!config.is_object()) config = Json::object();
  Json extensions = config.value("extended", Json::array());
  config.erase("extended");
  return {std::move(config), std::move(extensions)};
}

/// Returns whether the run asked for has more epochs than the saved one.
bool is_extension(const Json& saved, const Json& asked) {
  return saved.contains("epochs") && saved.at("epochs").is_number_integer() &&
         saved.contains("lr_drops") && saved.at("epochs") < asked.at("epochs");
}

/// Returns the rate of a step, counted from the beginning.
double rate_of(const Schedule& schedule, int64_t step) {
  const auto steps_per_epoch = static_cast<int64_t>(schedule.steps_per_epoch);
  return schedule.rate(static_cast<double>(step / steps_per_epoch) +
                       static_cast<double>(step % steps_per_epoch) / schedule.steps_per_epoch);
}

/// Returns whether both schedules have the same rates in the first steps.
bool agree(const Schedule& one, const Schedule& other, int64_t steps) {
  for (int64_t step = 0; step < steps; ++step)
    if (rate_of(one, step) != rate_of(other, step)) return false;
  return true;
}

}  // namespace

void require_same_run(const std::string& path, const std::string& saved, const std::string& asked) {
  const Json was = without_extensions(saved).first;
  Json now = parse_ordered_json(asked);
  if (is_extension(was, now))  // only all else has to agree
    for (const char* key : {"epochs", "lr_drops"}) now[key] = was.at(key);
  if (was == now) return;
  std::string differences;
  const auto differs = [&](const std::string& key, const std::string& before,
                           const std::string& after) {
    differences += text(differences.empty() ? "" : "; ", key, " was ", before, ", now ", after);
  };
  // A key that one of them lacks has its default value.
  for (const auto& [key, value] : now.items())
    if (!was.contains(key) || was.at(key) != value)
      differs(key, was.contains(key) ? json_text(was.at(key)) : "not given", json_text(value));
  for (const auto& [key, value] : was.items())
    if (!now.contains(key)) differs(key, json_text(value), "not given");
  fail(path, " belongs to another run (", differences.empty() ? "older format" : differences,
       "); repeat its command, or choose another --output");
}

Continuation continuation(const std::string& saved, const std::string& asked, Schedule schedule,
                          int64_t steps_done, int64_t steps_per_epoch) {
  auto [was, extensions] = without_extensions(saved);
  Json now = parse_ordered_json(asked);
  Continuation result;
  if (is_extension(was, now)) {
    schedule.steps_per_epoch = static_cast<double>(steps_per_epoch);
    Schedule before = schedule;
    before.epochs = was.at("epochs").get<double>();
    before.drops = was.at("lr_drops").get<std::vector<double>>();
    const std::string longer =
        text("a run of ", now.at("epochs").get<int64_t>(), " from the start");
    result.note = text("extended from ", was.at("epochs").get<int64_t>(), " epochs: ");
    if (extensions.empty() && agree(before, schedule, steps_done)) {
      result.note += "all is as in " + longer;
    } else {
      result.note +=
          text("the learning rate goes on at ", rate_of(schedule, steps_done), ", as in ", longer,
               ", after ", rate_of(before, std::max<int64_t>(steps_done, 1) - 1));
      extensions.push_back(
          {{"epochs", was.at("epochs")}, {"lr_drops", was.at("lr_drops")}, {"steps", steps_done}});
    }
  }
  if (!extensions.empty()) now["extended"] = extensions;
  result.config = json_text(now);
  return result;
}

std::string config_json(const RunSettings& settings, const Dataset& train, Device device) {
  const TrainingConfig& t = settings.training;
  Json config{{"model", parse_ordered_json(to_json(settings.model))},
              {"data_hash", hex(train.hash())},
              {"epochs", t.epochs},
              {"batch_size", t.batch_size},
              {"optimizer", name_of(t.optimizer)},
              {"learning_rate", t.schedule.base},
              {"schedule", name_of(t.schedule.kind)},
              {"lr_drops", t.schedule.drops},
              {"lr_factor", t.schedule.factor},
              {"warmup", t.schedule.warmup},
              {"momentum", t.momentum},
              {"nesterov", t.nesterov},
              {"weight_decay", t.weight_decay},
              {"augment", t.augment},
              {"loss", text_of(without_smoothing(t.loss))},
              {"seed", t.seed}};
  // Written only if not the default, so that runs older than these settings can be continued.
  if (t.augment && !t.flip) config["flip"] = false;
  if (settings.label_noise > 0)
    config["label_noise"] = {{"fraction", settings.label_noise}, {"images", train.count()}};
  if (settings.normalisation != train.normalisation)
    config["normalisation"] = {{"mean", settings.normalisation.mean},
                               {"std", settings.normalisation.std_dev}};
  if (settings.start)
    config["from"] =
        weights_hash(settings.start->weights.theta, settings.start->weights.running_stats);
  const TrainingConfig usual;
  const auto unusual = [&](const char* key, const auto& value, const auto& usually) {
    if (value != usually) config[key] = value;
  };
  unusual("beta1", t.beta1, usual.beta1);
  unusual("beta2", t.beta2, usual.beta2);
  unusual("epsilon", t.epsilon, usual.epsilon);
  unusual("decay_scope", name_of(t.decay_scope), name_of(usual.decay_scope));
  unusual("lr_power", t.schedule.power, usual.schedule.power);
  unusual("pct_start", t.schedule.pct_start, usual.schedule.pct_start);
  unusual("div_factor", t.schedule.div_factor, usual.schedule.div_factor);
  unusual("final_div_factor", t.schedule.final_div_factor, usual.schedule.final_div_factor);
  if (t.loss.kind == LossKind::cross_entropy)
    unusual("label_smoothing", t.loss.constant, usual.loss.constant);
  unusual("precision", name_of(t.precision), name_of(usual.precision));
  unusual("init", name_of(t.initialisation), name_of(usual.initialisation));
  unusual("ema", t.ema_decay, usual.ema_decay);
  unusual("swa_start", t.swa_start, usual.swa_start);
  // Devices round differently. The CPU is not written: runs older than other devices were its.
  if (device != Device::cpu) config["device"] = name_of(device);
  return json_text(config);
}

}  // namespace topograd
