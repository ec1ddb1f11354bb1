#include "apps/train/training_run.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/cli.h"
#include "apps/common/progress.h"
#include "data/label_noise.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "kernels/core/version.h"
#include "kernels/vector/vector.h"
#include "landscape/plots/training_plots.h"
#include "landscape/results/training_log.h"
#include "nn/checkpoint.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

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

/// Refuses a batch that this machine's memory does not hold, before it is used up.
void require_memory(const Graph& graph, int64_t batch, const ThreadPool& pool) {
  if (pool.device() != Device::cpu) return;  // whose own allocator says so
  const double gib = 1 << 30;
  const double have =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto need = [&](int64_t images) {
    return static_cast<double>(Network::bytes_needed(graph, images, pool.threads()));
  };
  if (need(batch) <= have) return;
  int64_t fits = 0;  // and `too_many` do not: halved until they are neighbours
  for (int64_t too_many = batch; too_many - fits > 1;) {
    const int64_t middle = (fits + too_many) / 2;
    (need(middle) <= have ? fits : too_many) = middle;
  }
  require(fits > 0, "one image of this network needs ", decimals(need(1) / gib, 1),
          " GiB of memory, and there are ", decimals(have / gib, 1), ": choose a smaller network");
  fail("a step with ", batch, " images needs ", decimals(need(batch) / gib, 1),
       " GiB of memory, and there are ", decimals(have / gib, 1), ": choose --batch-size ", fits,
       " or less");
}

/// The training images, with the labels that are trained on.
LabelledImages training_images(const RunOptions& options, const Dataset& train) {
  LabelledImages images = train.view();
  if (options.label_noise > 0)
    images.labels =
        noisy_labels(train.labels, train.classes(), options.label_noise, options.training.seed);
  return images;
}

class Run {
 public:
  Run(const RunOptions& options, const DataSplits& data, ThreadPool& pool)
      : options_(options),
        pool_(pool),
        train_(training_images(options, data.train)),
        test_(data.test.view().to(pool.device())),
        graph_(build_model(options.model)),
        trainer_(graph_, options.training, train_, pool) {
    info_.model = to_json(options.model);
    info_.normalisation = train_.normalisation;
    info_.config = config_json(options, data.train, pool.device());
    info_.notes["version"] = version();
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
        step();
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
    draw();
    write_averages();
    std::cout << "wrote " << file("model.safetensors") << " and " << file("log.csv") << std::endl;
    return 0;
  }

 private:
  std::string file(const std::string& name) const {
    return (fs::path(options_.folder) / name).string();
  }

  /// One step; where it fails, the message also says what is left.
  void step() {
    try {
      trainer_.step();
    } catch (const Error& error) {
      fail(error.what(), ". ", file("last.safetensors"), " holds the run as of epoch ",
           saved_epoch_ + 1, ", step ", saved_step_);
    }
  }

  void draw() const {
    for (const char* suffix : {".png", ".svg"})
      draw_training_log(file("log.csv"), options_.model.name + " on " + info_.notes.at("data"),
                        file(std::string("curves") + suffix));
  }

  void save() {
    write_checkpoint(file("last.safetensors"), graph_.layout(), trainer_.state(), info_, true);
    saved_epoch_ = trainer_.state().epoch;
    saved_step_ = trainer_.state().step;
  }

  /// The weights of this epoch, for good.
  void keep_epoch() {
    const TrainingState& state = trainer_.state();
    CheckpointInfo info = info_;
    info.notes["epoch"] = text(state.epoch);
    write_checkpoint(file(text("epoch_", state.epoch, ".safetensors")), graph_.layout(), state,
                     info, false);
  }

  void begin_or_resume() {
    const std::string last = file("last.safetensors");
    if (!fs::exists(last)) {
      std::cout << describe_start() << std::endl;
      if (options_.checkpoint_every > 0) keep_epoch();  // where a trajectory begins
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
    saved_epoch_ = state.epoch;
    saved_step_ = state.step;
    std::cout << "resumed " << last << " after epoch " << state.epoch << ", step " << state.step
              << std::endl;
  }

  std::string describe_start() const {
    return text(options_.model.name, ": ", graph_.layout().parameter_count(), " parameters, ",
                decimals(static_cast<double>(graph_.macs()) * 1e-6, 1),
                " M multiply-adds an image; ", train_.count(), " training and ", test_.count(),
                " test images", noise(), "; ", where());
  }

  std::string noise() const {
    if (options_.label_noise == 0) return "";
    return text(", label noise ", options_.label_noise);
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
    const LossSums test =
        evaluate(graph_, state.theta, state.running_stats, test_, options_.training.loss, pool_);
    const double steps = static_cast<double>(trainer_.steps_per_epoch());
    const EpochReport report{
        .epoch = epoch,
        .learning_rate = rate,
        .train_loss = train.mean(),
        .train_accuracy = train.accuracy(),
        .test_loss = test.mean(),
        .test_accuracy = test.accuracy(),
        .images_per_second = static_cast<double>(train.count - images_before) / train_seconds,
        .seconds = bar.seconds() - epoch_start,
        .gradient_norm = std::sqrt(state.gradient_squares / steps),
        .weight_norm = norm(state.theta, pool_.main_context())};
    bar.clear();
    std::cout << describe(report) << std::endl;
    log.append(report);
    const int64_t every = options_.checkpoint_every;
    if (every > 0 && (epoch % every == 0 || epoch == options_.training.epochs)) keep_epoch();
    save();
  }

  std::string describe(const EpochReport& r) const {
    std::ostringstream norms;
    norms << std::setprecision(3) << "|gradient| " << r.gradient_norm << "  |weights| "
          << r.weight_norm;
    return text("epoch ", r.epoch, "/", options_.training.epochs, "  lr ", r.learning_rate,
                "  train loss ", decimals(r.train_loss, 4), " accuracy ",
                decimals(r.train_accuracy, 2), " %  test loss ", decimals(r.test_loss, 4),
                " accuracy ", decimals(r.test_accuracy, 2), " %  ", norms.str(), "  ",
                decimals(r.images_per_second, 0), " images/s  ", clock_text(r.seconds));
  }

  /// The averages of the weights as networks of their own, and what they are worth.
  void write_averages() {
    const TrainingState& state = trainer_.state();
    if (state.ema_theta.defined()) write_average("ema", state.ema_theta, state.ema_states);
    if (state.swa_theta.defined()) write_average("swa", state.swa_theta, trainer_.swa_states());
  }

  void write_average(const std::string& name, const Tensor& theta, const Tensor& running_stats) {
    const std::string path = file(name + ".safetensors");
    TrainingState average;
    average.theta = theta;
    average.running_stats = running_stats;
    write_checkpoint(path, graph_.layout(), average, info_, false);
    const LossSums test =
        evaluate(graph_, theta, running_stats, test_, options_.training.loss, pool_);
    std::cout << name << "  test loss " << decimals(test.mean(), 4) << " accuracy "
              << decimals(test.accuracy(), 2) << " %  wrote " << path << std::endl;
  }

  int stop(ProgressBar& bar) {
    save();
    bar.clear();
    draw();
    cli::say("train: interrupted; everything is saved in ", options_.folder,
             ": repeat the command with --resume to continue");
    return cli::kInterruptedStatus;
  }

  const RunOptions& options_;
  ThreadPool& pool_;
  LabelledImages train_, test_;
  Graph graph_;
  Trainer trainer_;
  CheckpointInfo info_;
  int64_t saved_epoch_ = 0;  // where last.safetensors stands
  int64_t saved_step_ = 0;
};

}  // namespace

std::string config_json(const RunOptions& options, const Dataset& train, Device device) {
  const TrainingConfig& t = options.training;
  Json config{{"model", Json::parse(to_json(options.model))},
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
  // Named where they are not the defaults, so that runs made before there were such settings go on.
  if (t.augment && !t.flip) config["flip"] = false;
  if (options.label_noise > 0)
    config["label_noise"] = {{"fraction", options.label_noise}, {"images", train.count()}};
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
  // Devices round differently. The CPU is not named: runs made before there were others are its.
  if (device != Device::cpu) config["device"] = name_of(device);
  return config.dump();
}

int run_training(const RunOptions& options, const DataSplits& data, ThreadPool& pool) {
  require_memory(build_model(options.model),
                 std::min(options.training.batch_size, data.train.count()), pool);
  cli::make_folder(options.folder);
  Run run(options, data, pool);
  return run.run();
}

}  // namespace topograd
