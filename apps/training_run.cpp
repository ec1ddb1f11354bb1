#include "apps/training_run.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/cli.h"
#include "apps/progress.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/hash.h"
#include "nn/checkpoint.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kLogHeader =
    "epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,images_per_second,"
    "seconds";

/// log.csv, rewritten whole and atomically: a kill leaves whole lines.
class TrainingLog {
 public:
  /// Keeps the rows of the first `epochs` epochs of an existing log: later ones will be redone.
  TrainingLog(std::string path, int64_t epochs) : path_(std::move(path)) {
    std::ifstream in(path_);
    std::string line;
    std::getline(in, line);
    for (int64_t i = 0; i < epochs && std::getline(in, line); ++i) rows_ += line + '\n';
  }
  void append(const std::string& row) {
    rows_ += row + '\n';
    write_file_atomically(path_, std::string(kLogHeader) + '\n' + rows_);
  }

 private:
  std::string path_;
  std::string rows_;
};

/// Names what differs between the saved run's configuration and this command's.
void require_same_config(const std::string& path, const std::string& saved,
                         const std::string& asked) {
  if (saved == asked) return;
  Json a = Json::parse(saved, nullptr, false);
  if (!a.is_object()) a = Json::object();
  const Json b = Json::parse(asked);
  std::string differences;
  const auto differs = [&](const std::string& key, const std::string& was, const std::string& now) {
    differences += text(differences.empty() ? "" : "; ", key, " was ", was, ", now ", now);
  };
  // A key that one of them lacks has its default there.
  for (const auto& [key, value] : b.items())
    if (!a.contains(key) || a.at(key) != value)
      differs(key, a.contains(key) ? a.at(key).dump() : "not given", value.dump());
  for (const auto& [key, value] : a.items())
    if (!b.contains(key)) differs(key, value.dump(), "not given");
  fail(path, " belongs to another run (", differences.empty() ? "older format" : differences,
       "); repeat its command, or choose another --output");
}

class Run {
 public:
  Run(const RunOptions& options, const DataSplits& data, ThreadPool& pool)
      : options_(options),
        pool_(pool),
        train_(data.train.view()),
        test_(data.test.view().to(pool.device())),
        graph_(build_model(options.model)),
        trainer_(graph_, options.training, train_, pool) {
    info_.model = to_json(options.model);
    info_.normalisation = train_.normalisation;
    info_.config = config_json(options, data.train.hash(), pool.device());
    info_.notes["version"] = cli::version();
    info_.notes["command"] = options.command;
    info_.notes["data"] = data.train.name;
    info_.notes["data_hash"] = hex(data.train.hash());
  }

  int run() {
    begin_or_resume();
    TrainingLog log(file("log.csv"), trainer_.state().epoch);
    const int64_t steps = trainer_.steps_per_epoch();
    const auto steps_done = [&] { return trainer_.state().epoch * steps + trainer_.state().step; };
    ProgressBar bar(options_.training.epochs * steps, steps_done());
    double saved_at = 0;
    while (!trainer_.finished()) {
      const double epoch_start = bar.seconds();
      double rate = 0;  // the log's: that of the epoch's last step
      const int64_t epoch = trainer_.state().epoch + 1;
      const int64_t images_before =
          trainer_.state().step > 0 ? trainer_.state().epoch_sums.count : 0;
      do {
        rate = trainer_.learning_rate();
        trainer_.step();
        show(bar, steps_done(), epoch, images_before, epoch_start);
        if (cli::interrupted()) return stop(bar);
        if (trainer_.state().step != 0 && bar.seconds() - saved_at > options_.save_seconds) {
          save();
          saved_at = bar.seconds();
        }
      } while (trainer_.state().step != 0);
      finish_epoch(bar, log, epoch, rate, images_before, epoch_start);
      saved_at = bar.seconds();
      if (cli::interrupted() && !trainer_.finished()) return stop(bar);
    }
    write_checkpoint(file("model.safetensors"), graph_.layout(), trainer_.state(), info_, false);
    bar.clear();
    write_averages();
    std::cout << "wrote " << file("model.safetensors") << " and " << file("log.csv") << std::endl;
    return 0;
  }

 private:
  std::string file(const std::string& name) const {
    return (fs::path(options_.folder) / name).string();
  }

  void save() {
    write_checkpoint(file("last.safetensors"), graph_.layout(), trainer_.state(), info_, true);
  }

  void begin_or_resume() {
    const std::string last = file("last.safetensors");
    if (!fs::exists(last)) {
      std::cout << describe_start() << std::endl;
      save();  // a run that cannot be saved should fail now, not in an hour
      return;
    }
    const Checkpoint checkpoint = Checkpoint::read(last);
    require(options_.resume, options_.folder,
            " already holds a run: add --resume to continue it, or choose another --output");
    // Before the tensors: of another network's, the first one that does not fit would be named.
    require_same_config(last, checkpoint.info().config, info_.config);
    const TrainingState state = checkpoint.training_state(graph_.layout());
    trainer_.restore(state);
    std::cout << "resumed " << last << " after epoch " << state.epoch << ", step " << state.step
              << std::endl;
  }

  std::string describe_start() const {
    return text(options_.model.name, ": ", graph_.layout().parameter_count(), " parameters, ",
                decimals(static_cast<double>(graph_.macs()) * 1e-6, 1),
                " M multiply-adds an image; ", train_.count(), " training and ", test_.count(),
                " test images; ", where());
  }

  std::string where() const {
    if (pool_.device() != Device::cpu) return driver_of(pool_.device()).describe();
    return text(pool_.threads(), pool_.threads() == 1 ? " thread" : " threads");
  }

  void show(ProgressBar& bar, int64_t done, int64_t epoch, int64_t images_before,
            double epoch_start) const {
    const LossSums& sums = trainer_.state().epoch_sums;
    const double pace =
        static_cast<double>(sums.count - images_before) / (bar.seconds() - epoch_start);
    bar.update(done, text("epoch ", epoch, "/", options_.training.epochs),
               text("loss ", decimals(sums.mean(), 4), "  accuracy ", decimals(sums.accuracy(), 2),
                    " %  ", decimals(pace, 0), " images/s"));
  }

  void finish_epoch(ProgressBar& bar, TrainingLog& log, int64_t epoch, double rate,
                    int64_t images_before, double epoch_start) {
    const TrainingState& state = trainer_.state();
    const LossSums train = state.epoch_sums;
    const double train_seconds = bar.seconds() - epoch_start;
    const double pace = static_cast<double>(train.count - images_before) / train_seconds;
    const LossSums test =
        evaluate(graph_, state.theta, state.states, test_, options_.training.loss, pool_);
    const double seconds = bar.seconds() - epoch_start;
    bar.clear();
    std::cout << "epoch " << epoch << "/" << options_.training.epochs << "  lr " << rate
              << "  train loss " << decimals(train.mean(), 4) << " accuracy "
              << decimals(train.accuracy(), 2) << " %  test loss " << decimals(test.mean(), 4)
              << " accuracy " << decimals(test.accuracy(), 2) << " %  " << decimals(pace, 0)
              << " images/s  " << clock_text(seconds) << std::endl;
    log.append(text(epoch, ",", rate, ",", decimals(train.mean(), 6), ",",
                    decimals(train.accuracy(), 3), ",", decimals(test.mean(), 6), ",",
                    decimals(test.accuracy(), 3), ",", decimals(pace, 1), ",",
                    decimals(seconds, 1)));
    const int64_t every = options_.checkpoint_every;
    if (every > 0 && (epoch % every == 0 || epoch == options_.training.epochs))
      write_checkpoint(file(text("epoch_", epoch, ".safetensors")), graph_.layout(), state, info_,
                       false);
    save();
  }

  /// The averages of the weights as networks of their own, and what they are worth.
  void write_averages() {
    const TrainingState& state = trainer_.state();
    if (state.ema_theta.defined()) write_average("ema", state.ema_theta, state.ema_states);
    if (state.swa_theta.defined()) write_average("swa", state.swa_theta, trainer_.swa_states());
  }

  void write_average(const std::string& name, const Tensor& theta, const Tensor& states) {
    const std::string path = file(name + ".safetensors");
    TrainingState average;
    average.theta = theta;
    average.states = states;
    write_checkpoint(path, graph_.layout(), average, info_, false);
    const LossSums test = evaluate(graph_, theta, states, test_, options_.training.loss, pool_);
    std::cout << name << "  test loss " << decimals(test.mean(), 4) << " accuracy "
              << decimals(test.accuracy(), 2) << " %  wrote " << path << std::endl;
  }

  int stop(ProgressBar& bar) {
    save();
    bar.clear();
    std::cerr << "train: interrupted; everything is saved in " << options_.folder
              << ": repeat the command with --resume to continue\n";
    return cli::kInterruptedStatus;
  }

  const RunOptions& options_;
  ThreadPool& pool_;
  LabelledImages train_, test_;
  Graph graph_;
  Trainer trainer_;
  CheckpointInfo info_;
};

}  // namespace

std::string config_json(const RunOptions& options, uint64_t data_hash, Device device) {
  const TrainingConfig& t = options.training;
  Json config{{"model", Json::parse(to_json(options.model))},
              {"data_hash", hex(data_hash)},
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
  // Named where they are not the defaults, so that runs made before there were such settings go on.
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
  unusual("init", name_of(t.initialisation), name_of(usual.initialisation));
  unusual("ema", t.ema_decay, usual.ema_decay);
  unusual("swa_start", t.swa_start, usual.swa_start);
  // Devices round differently. The CPU is not named: runs made before there were others are its.
  if (device != Device::cpu) config["device"] = name_of(device);
  return config.dump();
}

int run_training(const RunOptions& options, const DataSplits& data, ThreadPool& pool) {
  cli::make_folder(options.folder);
  Run run(options, data, pool);
  return run.run();
}

}  // namespace topograd
