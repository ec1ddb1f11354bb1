#include "landscape/connectivity/connectivity_analysis.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "landscape/connectivity/aligned_network.h"
#include "landscape/connectivity/path_evaluation.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

void require_alike(const LoadedModel& a, const LoadedModel& b, const ImageSets& images) {
  require_same_network(b, a, "no path joins them");
  require(images.normalisation_chosen || a.info.normalisation == b.info.normalisation, a.path,
          " expects images normalised by ", describe(a.info.normalisation), ", ", b.path, " by ",
          describe(b.info.normalisation),
          ": no path joins them, unless --normalisation or --mean and --std choose for both");
}

class ConnectivityAnalysis {
 public:
  ConnectivityAnalysis(const ConnectivitySettings& settings, const LoadedModel& a,
                       const LoadedModel& b, const ImageSets& images, const Provenance& run,
                       const std::string& output, ThreadPool& pool, Observer& observer,
                       Purpose purpose)
      : settings_(settings),
        a_(a),
        b_(b),
        images_(images),
        output_(output),
        claim_(claim_unless_planned(output, purpose)),
        pool_(pool),
        observer_(observer),
        statistics_(a.graph.layout().state_count() == 0 ? std::vector<std::string>{"none"}
                                                        : settings.batchnorm),
        end_{b.weights.theta, b.weights.running_stats} {
    for (int64_t i = 0; i < settings.points; ++i)
      results_.t.push_back(static_cast<double>(i) / static_cast<double>(settings.points - 1));
    describe(run);
    load();
  }

  /// Refuses all that can be refused, before anything is written.
  void prepare() {
    if (settings_.aligns()) align();
    if (settings_.curve) {
      control_claim_.emplace(settings_.control_path, OutputClaim::Use::result);
      make_curve();
      curve_->resume();
      note_curve();
    }
    save();  // so that a place that cannot be written fails now
    if (curve_) curve_->begin();
    if (!settings_.aligned_path.empty()) save_aligned();
  }

  ConnectivityAhead ahead() {
    ConnectivityAhead work;
    const auto add = [&](const std::string& key, const std::string& statistics) {
      const auto found = results_.paths.find(key);
      int64_t done = 0;
      if (found != results_.paths.end())
        done = std::count(found->second.done.begin(), found->second.done.end(), uint8_t{1});
      work.done += done;
      (statistics == "recompute" ? work.recomputed_points : work.points) += settings_.points - done;
    };
    for (const std::string& statistics : statistics_) {
      add("line/" + statistics, statistics);
      if (settings_.aligns()) add("aligned/" + statistics, statistics);
    }
    if (!settings_.curve) return work;
    add("curve/" + curve_statistics(), curve_statistics());
    make_curve();
    if (!settings_.aligns()) {
      curve_->resume();
      note_curve();
    }
    work.steps = curve_->steps_ahead();
    work.curve_images = curve_->images();
    return work;
  }

  /// Takes a step of the curve's training.
  void step() { curve_->step(); }

  ConnectivityResults run() {
    evaluate_lines("line/", b_.weights.theta, b_.weights.running_stats);
    if (settings_.aligns()) evaluate_lines("aligned/", end_.theta, end_.running_stats);
    if (curve_) {
      if (!curve_->train()) interrupt();
      evaluate("curve/" + curve_statistics(), path_of(curve_->curve(), curve_statistics()));
    }
    return results_;
  }

 private:
  void describe(const Provenance& run) {
    Provenance& p = results_.provenance;
    p = run;
    describe_model(p, a_);
    p["to_model_file"] = b_.path;
    p["to_model_hash"] = weights_hash(b_.weights.theta, b_.weights.running_stats);
    images_.describe(p);
    images_.describe_populations(p);
    p["loss"] = text_of(settings_.loss);
    p["bn_batch"] = text(settings_.statistics_batch);
    p["seed"] = text(settings_.seed);
  }

  void load() {
    const auto saved = load_saved(
        output_, results_.provenance,
        identity_with({"to_model_hash", "bn_batch", "seed", "population"}),
        [&] { return ConnectivityResults::load(output_); },
        [&](const ConnectivityResults& file) {
          return file.t == results_.t ? std::vector<std::string>()
                                      : std::vector<std::string>{"it has other points"};
        });
    if (saved) results_ = *saved;
  }

  void save() {
    results_.save(output_);
    saved_ = std::chrono::steady_clock::now();
  }

  [[noreturn]] void interrupt() const {
    throw Interrupted(std::filesystem::exists(output_) ? "what was finished is saved in " + output_
                                                       : "nothing was finished");
  }

  void align() {
    const auto aligned = align_network(a_, b_, settings_.seed, images_, pool_, observer_);
    if (!aligned) interrupt();
    end_ = aligned->network;
    results_.alignment = aligned->facts;
  }

  std::string curve_statistics() const {
    return statistics_.front() == "none" ? "none" : "recompute";
  }

  void make_curve() {
    curve_.emplace(*settings_.curve, a_, end_.theta, weights_hash(end_.theta, end_.running_stats),
                   settings_.control_path, value_of(results_.provenance, "command"), pool_,
                   observer_);
  }

  /// Refuses a file of another curve.
  void note_curve() {
    std::string& known = results_.provenance["curve"];
    require(known.empty() || known == curve_->description(), output_, " holds another curve (",
            known, "), this command asks for (", curve_->description(),
            "); choose another --output");
    known = curve_->description();
  }

  void save_aligned() const {
    TrainingState state;
    state.theta = end_.theta;
    state.running_stats = end_.running_stats;
    CheckpointInfo info = b_.info;
    info.normalisation = images_.sets[0].normalisation;
    info.notes["aligned_to"] = results_.provenance.at("model_hash");
    write_checkpoint(settings_.aligned_path, a_.graph.layout(), state, info,
                     /*with_training_state=*/false);
  }

  void evaluate_lines(const std::string& kind, const Tensor& theta, const Tensor& running_stats) {
    for (const std::string& statistics : statistics_)
      evaluate(kind + statistics, line_between(a_.weights, theta, running_stats, statistics));
  }

  void evaluate(const std::string& key, const NetworkPath& path) {
    if (!results_.paths.contains(key))
      results_.paths[key] = PathValues(results_.t.size(), images_.names);
    PathValues& values = results_.paths.at(key);
    if (values.complete()) return;
    const PathEvaluationSpec spec{.graph = a_.graph,
                                  .from = a_.weights,
                                  .images = images_,
                                  .loss = settings_.loss,
                                  .statistics_batch = settings_.statistics_batch,
                                  .forced = settings_.forced};
    const bool finished =
        evaluate_path(values, results_.t, path, spec, key, pool_, observer_, [this] {
          if (std::chrono::steady_clock::now() - saved_ > std::chrono::seconds(5)) save();
        });
    save();
    if (!finished) interrupt();
  }

  const ConnectivitySettings& settings_;
  const LoadedModel &a_, &b_;
  const ImageSets& images_;
  const std::string& output_;
  std::optional<OutputClaim> claim_;
  ThreadPool& pool_;
  Observer& observer_;
  std::vector<std::string> statistics_;  // as the settings' batchnorm; "none" without BatchNorm
  ConnectivityResults results_;
  PermutedNetwork end_;  // end of the paths after the first: B, aligned where that is asked for
  std::optional<OutputClaim> control_claim_;
  std::optional<CurveTraining> curve_;
  std::chrono::steady_clock::time_point saved_;
};

}  // namespace

void check(const ConnectivitySettings& s) {
  require(s.points >= 2, "--points ", s.points, ": a path has two ends");
  require(!s.batchnorm.empty(), "--bn is empty: choose states or recompute, or both");
  for (const std::string& mode : s.batchnorm)
    require(mode == "states" || mode == "recompute", "--bn ", mode,
            ": choose states or recompute, or both with a comma between");
}

ConnectivityResults analyse_connectivity(const ConnectivitySettings& settings, const LoadedModel& a,
                                         const LoadedModel& b, const ImageSets& images,
                                         const Provenance& run, const std::string& output,
                                         ThreadPool& pool, Observer& observer) {
  check(settings);
  require_alike(a, b, images);
  ConnectivityAnalysis analysis(settings, a, b, images, run, output, pool, observer, Purpose::run);
  analysis.prepare();
  return analysis.run();
}

ConnectivityAhead connectivity_ahead(const ConnectivitySettings& settings, const LoadedModel& a,
                                     const LoadedModel& b, const ImageSets& images,
                                     const Provenance& run, const std::string& output,
                                     ThreadPool& pool, Observer& observer) {
  check(settings);
  require_alike(a, b, images);
  const auto analysis = std::make_shared<ConnectivityAnalysis>(settings, a, b, images, run, output,
                                                               pool, observer, Purpose::plan);
  ConnectivityAhead work = analysis->ahead();
  if (work.steps > 0) work.step = [analysis] { analysis->step(); };
  return work;
}

}  // namespace topograd
