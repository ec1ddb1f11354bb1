#include "apps/train/training_run.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <iomanip>

#include "apps/common/cli.h"
#include "apps/common/run_plan.h"
#include "apps/train/run_config.h"
#include "data/label_noise.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "kernels/core/output_claim.h"
#include "kernels/core/streams.h"
#include "kernels/core/system_limits.h"
#include "kernels/core/version.h"
#include "kernels/vector/vector.h"
#include "landscape/plots/training_plots.h"
#include "landscape/results/loss_text.h"
#include "landscape/results/training_log.h"
#include "nn/checkpoint.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Throws Error for a batch that exceeds the memory that is left, before it is used up; the data
/// set is loaded already.
void require_memory(const Graph& graph, int64_t batch, const ThreadPool& pool) {
  if (pool.device() != Device::cpu) return;  // a device's allocator throws
  const double gib = 1 << 30;
  const double have = allowed_memory();
  const auto need = [&](int64_t images) {
    return static_cast<double>(Network::bytes_needed(graph, images, pool.threads()));
  };
  if (need(batch) <= have) return;
  int64_t fits = 0;  // `too_many` do not: bisected until they are neighbours
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

LabelledImages test_images(const RunSettings& settings, const Dataset& test, Device device) {
  LabelledImages images = test.view();
  images.normalisation = settings.normalisation;
  return images.to(device);
}

/// Returns the training images, normalised, with the labels that are trained on.
LabelledImages training_images(const RunSettings& settings, const Dataset& train) {
  LabelledImages images = train.view();
  images.normalisation = settings.normalisation;
  if (settings.label_noise > 0)
    images.labels =
        noisy_labels(train.labels, train.classes(), settings.label_noise, settings.training.seed);
  return images;
}

/// Returns " accuracy 12.34 %"; nothing where images have no right answers.
std::string accuracy_text(double percent) {
  return std::isnan(percent) ? "" : text(" accuracy ", decimals(percent, 2), " %");
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Run {
 public:
  Run(const RunSettings& settings, const DataSplits& data, ThreadPool& pool, Observer& observer)
      : settings_(settings),
        pool_(pool),
        observer_(observer),
        train_(training_images(settings, data.train)),
        reported_loss_(without_smoothing(settings.training.loss)),
        test_(test_images(settings, data.test, pool.device())),
        graph_(build_model(settings.model)),
        trainer_(graph_, settings.training, train_, pool) {
    info_.model = to_json(settings.model);
    info_.normalisation = train_.normalisation;
    info_.config = config_json(settings, data.train, pool.device());
    info_.notes["version"] = version();
    info_.notes["command"] = settings.command;
    info_.notes["data"] = data.train.name;
    info_.notes["data_source"] = settings.data_source;
    info_.notes["data_hash"] = hex(data.train.hash());
    info_.notes["train_images"] = text(data.train.count());
    if (settings.start) info_.notes["from"] = settings.start->path;
  }

  /// Says what run() would do, and for how long about: at the pace of a second of steps, of which
  /// nothing is kept.
  void plan() {
    const int64_t all = settings_.training.epochs * trainer_.steps_per_epoch();
    int64_t done = 0;
    if (const std::string last = file("last.safetensors"); fs::exists(last)) {
      const TrainingState state = Checkpoint::read(last).training_state(graph_.layout());
      done = state.epoch * trainer_.steps_per_epoch() + state.step;
    }
    const TrainingState begin = trainer_.state();
    const double step = cli::fastest_seconds(
        [&] {
          if (trainer_.finished()) trainer_.restore(begin);
          trainer_.step();
        },
        cli::Measurement::thorough);
    const LabelledImages some = test_.first(std::min<int64_t>(test_.count(), 64 * pool_.threads()));
    const TrainingState& state = trainer_.state();
    const double test =
        cli::fastest_seconds(
            [&] {
              evaluate(graph_, state.theta, state.running_stats, some, reported_loss_, pool_);
            },
            cli::Measurement::brief) *
        static_cast<double>(test_.count()) / static_cast<double>(some.count());
    const auto steps = static_cast<double>(std::max<int64_t>(all - done, 0));
    const cli::RunPlan plan{
        .output = settings_.folder,
        .what =
            text(settings_.training.epochs, settings_.training.epochs == 1 ? " epoch" : " epochs",
                 " of ", trainer_.steps_per_epoch(), " steps",
                 done > 0 ? text(", ", done, " steps done") : ""),
        .seconds = steps * (step + test / static_cast<double>(trainer_.steps_per_epoch()))};
    observer_.note(describe_start());
    observer_.note(cli::words_for(plan, pool_));
  }

  void run() {
    // The log stands for the folder: two runs in one would mix their files.
    const OutputClaim claim(file("log.csv"));
    begin_or_resume();
    TrainingLog log(file("log.csv"), trainer_.state().epoch);
    const Stage stage(observer_, "training", settings_.training.epochs * trainer_.steps_per_epoch(),
                      steps_done());
    while (!trainer_.finished()) run_epoch(log);
    write_checkpoint(file("model.safetensors"), graph_.layout(), trainer_.state(), info_, false);
    draw();
    write_averages();
    observer_.note(text("wrote ", file("model.safetensors"), " and ", file("log.csv")));
  }

 private:
  std::string file(const std::string& name) const {
    return (fs::path(settings_.folder) / name).string();
  }

  int64_t steps_done() const {
    return trainer_.state().epoch * trainer_.steps_per_epoch() + trainer_.state().step;
  }

  /// Trains to the end of the current epoch, or of the next one.
  void run_epoch(TrainingLog& log) {
    const TrainingState& state = trainer_.state();
    EpochReport report{.epoch = state.epoch + 1};
    const int64_t images_before = state.step > 0 ? state.epoch_sums.count : 0;
    const Clock::time_point start = Clock::now();
    Clock::time_point saved = start;
    do {
      report.learning_rate = trainer_.learning_rate();
      step();
      observer_.advance(steps_done(), [&] { return progress(report.epoch, images_before, start); });
      if (observer_.stop_requested()) stop();
      if (state.step != 0 && seconds_since(saved) > settings_.save_seconds) {
        save();
        saved = Clock::now();
      }
    } while (state.step != 0);
    finish_epoch(report, log, images_before, start);
    if (observer_.stop_requested() && !trainer_.finished()) stop();
  }

  /// Takes one step; if it fails, the message also says what is saved.
  void step() {
    try {
      trainer_.step();
    } catch (const Error& error) {
      fail(error.what(), ". ", file("last.safetensors"), " holds the run as of epoch ",
           saved_epoch_ + 1, ", step ", saved_step_);
    }
  }

  void draw() const {
    if (!fs::exists(file("log.csv"))) return;  // stopped in the first epoch
    const OwnOutputScope own;
    for (const char* suffix : {".png", ".svg"})
      draw_training_log(file("log.csv"), settings_.model.name + " on " + info_.notes.at("data"),
                        file(std::string("curves") + suffix));
  }

  void save() {
    write_checkpoint(file("last.safetensors"), graph_.layout(), trainer_.state(), info_, true);
    saved_epoch_ = trainer_.state().epoch;
    saved_step_ = trainer_.state().step;
  }

  /// Keeps the weights of this epoch.
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
      if (settings_.start) take_weights(settings_.start->weights);
      observer_.note(describe_start());
      if (settings_.checkpoint_every > 0) keep_epoch();  // where a trajectory begins
      save();  // a run that cannot be saved should fail now, not in an hour
      return;
    }
    const OwnOutputScope own;
    const Checkpoint checkpoint = Checkpoint::read(last);
    require(settings_.resume, settings_.folder,
            " already holds a run: add --resume to continue it, or choose another --output");
    // Check before loading tensors: their error would name the first tensor that does not fit.
    require_same_run(last, checkpoint.info().config, info_.config);
    const TrainingState state = checkpoint.training_state(graph_.layout());
    trainer_.restore(state);
    const Continuation next =
        continuation(checkpoint.info().config, info_.config, settings_.training.schedule,
                     steps_done(), trainer_.steps_per_epoch());
    info_.config = next.config;
    if (!next.note.empty()) observer_.note(next.note);
    saved_epoch_ = state.epoch;
    saved_step_ = state.step;
    observer_.note(text("resumed ", last, " after epoch ", state.epoch, ", step ", state.step));
  }

  /// Begins with these weights in place of random ones.
  void take_weights(const ModelState& weights) {
    TrainingState state = trainer_.state();
    state.theta = weights.theta;
    state.running_stats = weights.running_stats;
    trainer_.restore(state);
  }

  std::string describe_start() const {
    return text(settings_.model.name, settings_.start ? " from " + settings_.start->path : "", ": ",
                graph_.layout().parameter_count(), " parameters, ",
                decimals(static_cast<double>(graph_.macs()) * 1e-6, 1),
                " M multiply-adds an image; ", train_.count(), " training and ", test_.count(),
                " test images", noise(), "; ", where());
  }

  std::string noise() const {
    if (settings_.label_noise == 0) return "";
    return text(", label noise ", settings_.label_noise);
  }

  std::string where() const {
    if (pool_.device() != Device::cpu) return driver_of(pool_.device()).describe();
    return text(pool_.threads(), pool_.threads() == 1 ? " thread" : " threads");
  }

  std::string progress(int64_t epoch, int64_t images_before, Clock::time_point start) const {
    const LossSums& sums = trainer_.state().epoch_sums;
    const double pace = static_cast<double>(sums.count - images_before) / seconds_since(start);
    return text("epoch ", epoch, "/", settings_.training.epochs, "  loss ",
                loss_text(sums.mean(), 4), accuracy_text(sums.accuracy()), "  ", decimals(pace, 0),
                " images/s");
  }

  void finish_epoch(EpochReport& report, TrainingLog& log, int64_t images_before,
                    Clock::time_point start) {
    const TrainingState& state = trainer_.state();
    const LossSums train = state.epoch_sums;
    const double train_seconds = seconds_since(start);
    const LossSums test =
        evaluate(graph_, state.theta, state.running_stats, test_, reported_loss_, pool_);
    const double steps = static_cast<double>(trainer_.steps_per_epoch());
    report.train_loss = train.mean();
    report.train_accuracy = train.accuracy();
    report.test_loss = test.mean();
    report.test_accuracy = test.accuracy();
    report.images_per_second = static_cast<double>(train.count - images_before) / train_seconds;
    report.seconds = seconds_since(start);
    report.gradient_norm = std::sqrt(state.gradient_squares / steps);
    report.weight_norm = norm(state.theta, pool_.main_context());
    require(std::isfinite(report.test_loss) && std::isfinite(report.weight_norm),
            "training diverged: after epoch ", report.epoch, " the test images' loss is ",
            std::isnan(report.test_loss) ? "not a number" : text(report.test_loss),
            ", the weights' norm ", report.weight_norm, "; try a smaller learning rate. ",
            file("last.safetensors"), " holds the run as of epoch ", saved_epoch_ + 1, ", step ",
            saved_step_);
    observer_.note(describe(report));
    log.append(report);
    const int64_t every = settings_.checkpoint_every, epoch = report.epoch;
    if (every > 0 && (epoch % every == 0 || epoch == settings_.training.epochs)) keep_epoch();
    save();
  }

  std::string describe(const EpochReport& r) const {
    TextWriter norms;
    norms << std::setprecision(3) << "|gradient| " << r.gradient_norm << "  |weights| "
          << r.weight_norm;
    return text("epoch ", r.epoch, "/", settings_.training.epochs, "  lr ", r.learning_rate,
                "  train loss ", loss_text(r.train_loss, 4), accuracy_text(r.train_accuracy),
                "  test loss ", loss_text(r.test_loss, 4), accuracy_text(r.test_accuracy), "  ",
                norms.str(), "  ", decimals(r.images_per_second, 0), " images/s  ",
                clock_text(r.seconds));
  }

  /// Saves the averages of the weights as networks of their own, and evaluates them.
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
    const LossSums test = evaluate(graph_, theta, running_stats, test_, reported_loss_, pool_);
    observer_.note(text(name, "  test loss ", loss_text(test.mean(), 4),
                        accuracy_text(test.accuracy()), "  wrote ", path));
  }

  [[noreturn]] void stop() {
    save();
    draw();
    throw Interrupted("everything is saved in " + settings_.folder);
  }

  const RunSettings& settings_;
  ThreadPool& pool_;
  Observer& observer_;
  LabelledImages train_;
  Loss reported_loss_;
  LabelledImages test_;
  Graph graph_;
  Trainer trainer_;
  CheckpointInfo info_;
  int64_t saved_epoch_ = 0;  // epoch of last.safetensors
  int64_t saved_step_ = 0;
};

}  // namespace

void run_training(const RunSettings& settings, const DataSplits& data, ThreadPool& pool,
                  Observer& observer) {
  require_memory(build_model(settings.model),
                 std::min(settings.training.batch_size, data.train.count()), pool);
  cli::make_folder(settings.folder);
  Run run(settings, data, pool, observer);
  run.run();
}

void plan_training(const RunSettings& settings, const DataSplits& data, ThreadPool& pool,
                   Observer& observer) {
  require_memory(build_model(settings.model),
                 std::min(settings.training.batch_size, data.train.count()), pool);
  Run(settings, data, pool, observer).plan();
}

}  // namespace topograd
