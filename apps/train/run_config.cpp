#include "apps/train/run_config.h"

#include "data/label_noise.h"
#include "kernels/core/check.h"
#include "kernels/core/hash.h"
#include "nn/json_text.h"

namespace topograd {

using Json = nlohmann::ordered_json;

void require_same_config(const std::string& path, const std::string& saved,
                         const std::string& asked) {
  if (saved == asked) return;
  Json a = json_or_null(saved);
  if (!a.is_object()) a = Json::object();
  const Json b = parse_ordered_json(asked);
  std::string differences;
  const auto differs = [&](const std::string& key, const std::string& was, const std::string& now) {
    differences += text(differences.empty() ? "" : "; ", key, " was ", was, ", now ", now);
  };
  // A key that one of them lacks has its default value.
  for (const auto& [key, value] : b.items())
    if (!a.contains(key) || a.at(key) != value)
      differs(key, a.contains(key) ? json_text(a.at(key)) : "not given", json_text(value));
  for (const auto& [key, value] : a.items())
    if (!b.contains(key)) differs(key, json_text(value), "not given");
  fail(path, " belongs to another run (", differences.empty() ? "older format" : differences,
       "); repeat its command, or choose another --output");
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
              {"loss", name_of(t.loss)},
              {"seed", t.seed}};
  // Written only if not the default, so that runs older than these settings can be continued.
  if (t.augment && !t.flip) config["flip"] = false;
  if (settings.label_noise > 0)
    config["label_noise"] = {{"fraction", settings.label_noise}, {"images", train.count()}};
  if (settings.normalisation != train.normalisation)
    config["normalisation"] = {{"mean", settings.normalisation.mean},
                               {"std", settings.normalisation.std_dev}};
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
  unusual("label_smoothing", t.label_smoothing, usual.label_smoothing);
  unusual("precision", name_of(t.precision), name_of(usual.precision));
  unusual("init", name_of(t.initialisation), name_of(usual.initialisation));
  unusual("ema", t.ema_decay, usual.ema_decay);
  unusual("swa_start", t.swa_start, usual.swa_start);
  // Devices round differently. The CPU is not written: runs older than other devices were its.
  if (device != Device::cpu) config["device"] = name_of(device);
  return json_text(config);
}

}  // namespace topograd
