#include "apps/landscape/connect/connect_command.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "apps/common/progress.h"
#include "apps/common/table.h"
#include "apps/landscape/common/image_flags.h"
#include "apps/landscape/connect/connect_curve.h"
#include "apps/landscape/connect/connect_report.h"
#include "kernels/core/format.h"
#include "landscape/connectivity/alignment.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/evaluation/evaluator.h"
#include "landscape/plots/result_plots.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What must agree for a file to be continued.
const std::vector<std::string> kIdentity = {"model_hash", "to_model_hash", "data_hash", "images",
                                            "data",       "loss",          "device",    "subset",
                                            "bn_batch",   "seed"};

/// Thrown where Ctrl-C came; what was finished is saved.
struct Interrupted {};

/// The largest difference of two networks' logits, as a share of the largest logit, in double.
double difference_of_logits(const Graph& graph, const ModelState& a, const PermutedNetwork& b,
                            const LabelledImages& images) {
  const int64_t count = std::min<int64_t>(4, images.count());
  const Tensor x(images.images.shape().with_first(count), DType::f64);
  Context context;
  normalise_images(x, images, 0, count, context);
  InferencePlan plan(graph, count, DType::f64);
  const auto logits = [&](const Tensor& theta, const Tensor& running_stats) {
    plan.bind(theta.converted(DType::f64), running_stats.converted(DType::f64));
    return plan.run(x, context).clone();
  };
  const Tensor one = logits(a.theta, a.running_stats), other = logits(b.theta, b.running_stats);
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < one.size(); ++i) {
    const double value = one.data<double>()[i], apart = std::abs(value - other.data<double>()[i]);
    largest = std::max(largest, std::abs(value));
    if (!(apart <= difference)) difference = apart;
  }
  return difference / largest;
}

class ConnectRun {
 public:
  ConnectRun(const cxxopts::ParseResult& flags, const std::string& a, const std::string& b,
             std::string command)
      : flags_(flags),
        command_(std::move(command)),
        pool_(cli::pool(flags)),
        a_(load_model(a, cli::text_of(flags, "model"))),
        b_(load_model(b)),
        output_(cli::text_of(
            flags, "output",
            fs::path(a).stem().string() + "_" + fs::path(b).stem().string() + "_connect.h5")),
        images_(surface_images(flags, a_, false)) {
    cli::force_implementations(flags, pool_);
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require_alike();
    read_batchnorm();
    aligned_path_ = cli::text_of(flags, "save-aligned");
    align_ = flags.count("align") > 0 || !aligned_path_.empty();
    for (const std::string& path : {aligned_path_, control_path()})
      require(path != output_ && path != a && path != b, "two files are both named ", path,
              ": choose another name for one");
    const int64_t points = cli::whole(flags, "points", 2, 100'000);
    for (int64_t i = 0; i < points; ++i)
      results_.t.push_back(static_cast<double>(i) / static_cast<double>(points - 1));
    curve_wanted_ = cli::whole(flags, "epochs", 0, 1'000'000) > 0;
    describe();
    load_saved();
  }

  int run() {
    note_clean_labels(flags_, images_, a_);
    try {
      prepare();
      compute();
    } catch (const Interrupted&) {
      cli::say(
          "landscape: interrupted; ",
          fs::exists(output_) ? "what was finished is saved in " + output_ : "nothing was finished",
          ": repeat the command to continue");
      return cli::kInterruptedStatus;
    }
    report();
    return 0;
  }

 private:
  void require_alike() const {
    require(to_json(a_.spec) == to_json(b_.spec), b_.path, " holds ", topograd::describe(b_.spec),
            ", ", a_.path, " ", topograd::describe(a_.spec), ": no path joins them");
    require(a_.info.normalisation == b_.info.normalisation, a_.path, " and ", b_.path,
            " expect their images normalised otherwise: no path joins them");
  }

  /// Which statistics the networks on a line get. Without BatchNorm there is no choice.
  void read_batchnorm() {
    bn_batch_ = cli::whole(flags_, "bn-batch", 2, 1 << 20);
    bn_modes_ = cli::words(flags_["bn"].as<std::string>());
    require(!bn_modes_.empty(), "--bn is empty: choose states or recompute, or both");
    for (const std::string& mode : bn_modes_)
      require(mode == "states" || mode == "recompute", "--bn ", mode,
              ": choose states or recompute, or both with a comma between");
    if (a_.graph.layout().state_count() == 0) bn_modes_ = {"none"};
  }

  std::string stem() const {
    return (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
  }
  std::string control_path() const {
    return cli::text_of(flags_, "control", stem() + "_control.safetensors");
  }

  void describe() {
    Provenance& p = results_.provenance;
    describe_model(p, a_);
    p["to_model_file"] = b_.path;
    p["to_model_hash"] = weights_hash(b_.weights.theta, b_.weights.running_stats);
    images_.describe(p);
    p["loss"] = name_of(cli::loss(flags_));
    p["bn_batch"] = text(bn_batch_);
    p["seed"] = text(cli::seed(flags_));
    describe_run(p, pool_.device(), command_);
  }

  void load_saved() {
    if (!is_there(output_)) return;
    ConnectivityResults saved = ConnectivityResults::load(output_);
    std::vector<std::string> reasons;
    if (saved.t != results_.t) reasons.push_back("it has other points");
    require_same_command(output_, saved.provenance, results_.provenance, kIdentity, reasons);
    if (saved.provenance.contains("curve"))
      results_.provenance["curve"] = saved.provenance.at("curve");
    saved.provenance = results_.provenance;
    results_ = saved;
  }

  /// Everything that can be refused, before anything is written.
  void prepare() {
    end_ = {b_.weights.theta, b_.weights.running_stats};
    if (align_) align();
    if (curve_wanted_) {
      curve_.emplace(flags_, a_, end_.theta, weights_hash(end_.theta, end_.running_stats),
                     control_path(), command_, pool_);
      std::string& known = results_.provenance["curve"];
      require(known.empty() || known == curve_->description(), output_, " holds another curve (",
              known, "), this command asks for (", curve_->description(),
              "); choose another --output");
      known = curve_->description();
    }
    save();  // a place that cannot be written should fail now, not in an hour
    if (curve_) curve_->begin();
    if (!aligned_path_.empty()) save_aligned();
  }

  void save() {
    results_.save(output_);
    saved_ = std::chrono::steady_clock::now();
  }

  void compute() {
    for (const std::string& bn : bn_modes_)
      evaluate_line("line/" + bn, bn, b_.weights.theta, b_.weights.running_stats);
    if (align_)
      for (const std::string& bn : bn_modes_)
        evaluate_line("aligned/" + bn, bn, end_.theta, end_.running_stats);
    if (!curve_) return;
    if (!curve_->train()) throw Interrupted();
    // The networks on a curve have no statistics but their own.
    const std::string bn = bn_modes_.front() == "none" ? "none" : "recompute";
    const std::vector<Directions> plane = {curve_plane(curve_->curve())};
    evaluate("curve/" + bn, bn, plane, curve_position);
  }

  /// The permutation of B's channels, and proof that it is one.
  void align() {
    const std::vector<ChannelGroup> groups = channel_groups(a_.graph);
    require(!groups.empty(), a_.path, " has no channels that could change places");
    ProgressBar bar(100);
    const Alignment found =
        align_channels(a_.graph, groups, a_.weights.theta, b_.weights.theta,
                       {.seed = cli::seed(flags_),
                        .progress =
                            [&](int sweeps) {
                              bar.update(sweeps, "alignment", text(sweeps, " sweeps"));
                              return !cli::interrupted();
                            }},
                       pool_);
    bar.clear();
    if (cli::interrupted()) throw Interrupted();
    end_ =
        permuted(a_.graph, groups, found.permutation, b_.weights.theta, b_.weights.running_stats);
    const double difference =
        difference_of_logits(a_.graph, b_.weights, end_, images_.sets.front());
    require(difference <= 1e-6,
            "the network with permuted channels computes another function: its "
            "logits differ by ",
            difference, " of the largest. That is a fault of this program");
    results_.alignment = {{"product_before", found.product_before},
                          {"product", found.product},
                          {"distance_before", found.distance_before},
                          {"distance", found.distance},
                          {"sweeps", found.sweeps},
                          {"groups", static_cast<double>(groups.size())},
                          {"logit_difference", difference}};
  }

  void save_aligned() const {
    TrainingState state;
    state.theta = end_.theta;
    state.running_stats = end_.running_stats;
    CheckpointInfo info = b_.info;
    info.notes["aligned_to"] = results_.provenance.at("model_hash");
    write_checkpoint(aligned_path_, a_.graph.layout(), state, info, /*with_training_state=*/false);
  }

  void evaluate_line(const std::string& key, const std::string& bn, const Tensor& theta,
                     const Tensor& running_stats) {
    const ModelState& a = a_.weights;
    const std::vector<Directions> line = {
        {bn == "states" ? difference(a.theta, theta, a.running_stats, running_stats)
                        : difference(a.theta, theta),
         {}}};
    evaluate(key, bn, line, [](double t) { return PlanePosition{t, 0}; });
  }

  /// Fills in the points of a path that are not done.
  void evaluate(const std::string& key, const std::string& bn, const std::vector<Directions>& plane,
                const std::function<PlanePosition(double)>& position) {
    if (!results_.paths.contains(key))
      results_.paths[key] = PathValues(results_.t.size(), images_.names);
    PathValues& path = results_.paths.at(key);
    if (path.complete()) return;
    Evaluator evaluator(
        {.graph = a_.graph,
         .theta = a_.weights.theta,
         .running_stats = a_.weights.running_stats,
         .planes = plane,
         .sets = images_.sets,
         .losses = {cli::loss(flags_)},
         .batchnorm = bn == "recompute" ? PointBatchnorm::recomputed : PointBatchnorm::given,
         .statistics_batch = bn_batch_,
         .forced = cli::forced_implementations(flags_)},
        pool_);
    const auto points = static_cast<int64_t>(results_.t.size());
    int64_t next = 0, done = std::count(path.done.begin(), path.done.end(), 1);
    ProgressBar bar(points, done);
    const bool finished = evaluator.run(
        [&]() -> std::optional<EvaluationTask> {
          while (next < points && path.done[static_cast<size_t>(next)]) ++next;
          if (next == points) return std::nullopt;
          const int64_t point = next++;
          return EvaluationTask{point, position(results_.t[static_cast<size_t>(point)]), 0};
        },
        [&](const EvaluationTask& task, const PointSums& sums) {
          path.enter(static_cast<size_t>(task.id), images_.names, sums);
          bar.update(++done, key, text(done, "/", points, " points"));
          if (std::chrono::steady_clock::now() - saved_ > std::chrono::seconds(5)) save();
        },
        cli::interrupted);
    bar.clear();
    save();
    if (!finished) throw Interrupted();
  }

  void report() const {
    const Provenance& p = results_.provenance;
    std::cout << output_ << ": from " << a_.path << " to " << b_.path << ", " << p.at("model_name")
              << ", " << p.at("images") << " images, " << p.at("data") << ", " << p.at("loss")
              << ", " << results_.t.size() << " points\n";
    if (const auto& found = results_.alignment; !found.empty()) {
      std::cout << "aligned: " << found.at("groups") << " groups of channels in "
                << found.at("sweeps") << " sweeps; |A - B| "
                << significant(found.at("distance_before"), 4) << " -> "
                << significant(found.at("distance"), 4) << "; the same function: logits differ by "
                << significant(found.at("logit_difference"), 2) << " of the largest\n";
      if (!aligned_path_.empty()) std::cout << "wrote " << aligned_path_ << '\n';
    }
    if (curve_wanted_) std::cout << "wrote the curve's control point, " << control_path() << '\n';
    print_paths(results_);
    if (flags_.count("no-pictures")) return;
    for (const std::string& path : save_figures(result_figures(results_.record()), stem()))
      std::cout << path << '\n';
  }

  const cxxopts::ParseResult& flags_;
  std::string command_;
  ThreadPool pool_;
  LoadedModel a_, b_;
  std::string output_;
  SurfaceImages images_;
  std::vector<std::string> bn_modes_;
  int64_t bn_batch_ = 128;
  std::string aligned_path_;
  bool align_ = false, curve_wanted_ = false;
  ConnectivityResults results_;
  PermutedNetwork end_;  // of the paths after the first: B, aligned where that is asked for
  std::optional<CurveRun> curve_;
  std::chrono::steady_clock::time_point saved_;
};

}  // namespace

int run_connect(const cxxopts::ParseResult& flags, const std::string& command) {
  const auto models = flags.count("models") ? flags["models"].as<std::vector<std::string>>()
                                            : std::vector<std::string>();
  require(models.size() == 2, "a path joins two networks, here are ", models.size(),
          ": write landscape connect A.safetensors B.safetensors");
  cli::catch_interruption();
  return ConnectRun(flags, models[0], models[1], command).run();
}

}  // namespace topograd
