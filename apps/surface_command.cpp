#include "apps/surface_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <set>

#include "apps/model_file.h"
#include "apps/progress.h"
#include "apps/surface_batchnorm.h"
#include "apps/surface_computation.h"
#include "apps/surface_directions.h"
#include "apps/surface_images.h"
#include "apps/surface_pictures.h"
#include "kernels/tile_conv/tile_conv.h"
#include "landscape/grid.h"
#include "landscape/precision_check.h"
#include "landscape/refinement.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What has to agree for a file to be continued.
const std::vector<std::string> kIdentity = {
    "model_hash", "data_hash", "direction_hash", "images", "data",      "loss", "dir_type",
    "bn_mode",    "precision", "device",         "subset", "target_se", "seeds"};

/// Flags of the reference implementation that have nothing to say here.
const std::pair<const char*, const char*> kWithoutEffect[] = {
    {"mpi", "mpirun or srun decides how many processes compute the surface"},
    {"cuda", "a GPU is used where there is one; --device chooses"},
    {"ngpu", "one GPU computes the surface"},
    {"batch-size", "images are evaluated in chunks that fit the cache"},
    {"raw-data", "images are always raw, only normalised"},
    {"vlevel", "contour levels are chosen by the picture"},
    {"show", "pictures are files; nothing is opened"},
    {"plot", "pictures are always drawn"},
};

/// Everything a run needs, from the flags.
class SurfaceRun {
 public:
  SurfaceRun(const cxxopts::ParseResult& flags, bool line, const std::string& command, Ranks& ranks)
      : flags_(flags),
        line_(line),
        ranks_(ranks),
        model_(load_model(model_path(), cli::text_of(flags, "model"))),
        surface_(axes()),
        pool_(cli::pool(flags, ranks.threads())) {
    cli::force_implementations(flags, pool_);
    losses_ = cli::losses(flags);
    if (flags.count("target-se")) target_se_ = cli::real(flags, "target-se", 1e-12, 1e12);
    output_ =
        cli::text_of(flags, "output",
                     fs::path(model_.path).stem().string() + (line ? "_line.h5" : "_surface.h5"));
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require(output_ != cli::text_of(flags, "dir-file"), "--output and --dir-file both name ",
            output_, ": choose another name for one");
    picture_ = picture_options();
    save_seconds_ = cli::real(flags, "save-seconds", 0, 1e9);
    const std::string dataset = flags["dataset"].as<std::string>();
    require(dataset == "cifar10", "--dataset ", dataset,
            ": only cifar10 is known by name; --data takes any folder of images");
    batchnorm_ = surface_batchnorm(flags);
    choose_precision();
    images_ = surface_images(flags, model_, batchnorm_.at_point == PointBatchnorm::batch);
    directions_ = surface_directions(flags, model_, batchnorm_.directions, line, ranks.lead());
    values_ = SurfaceValues({.sets = images_.names,
                             .losses = losses_,
                             .counts_differ = target_se_ > 0,
                             .seeds = directions_.seeds});
    describe(command);
  }

  /// Ranks read their files themselves, perhaps on several machines.
  void require_same_inputs() const {
    std::string mine;
    for (const char* key : {"model_hash", "data_hash", "direction_hash", "device", "version"}) {
      const auto found = surface_.provenance.find(key);
      mine += text(key, " ", found == surface_.provenance.end() ? "none" : found->second, "  ");
    }
    const std::string leads = ranks_.gather(mine).front();
    require(mine == leads, "has other inputs than rank 0: ", mine, "there, ", leads, "here");
  }

  /// Makes all ready, up to the output file.
  void begin() {
    note_flags_without_effect();
    warn_where_invariance_fails();
    if (images_.names[0] == "train" && flags_.count("noisy-labels") == 0)
      note_clean_labels(model_, "landscape");
    computation_.emplace(surface_, values_, spec(), pool_, output_, save_seconds_);
    if (ranks_.lead()) continue_or_begin();
  }

  int run() {
    if (!ranks_.lead()) {
      computation_->follow(ranks_);
      return 0;
    }
    if (!computation_->run(ranks_)) {
      cli::say("landscape: interrupted; ", surface_.done_count(), " of ", surface_.points(),
               " points are saved in ", output_, ": repeat the command to continue");
      report_unfinished();
      return cli::kInterruptedStatus;
    }
    if (precision_name_ != "f32") check_precision();
    report(computation_->images_per_second());
    return 0;
  }

 private:
  /// Read before anything is computed: a wrong limit should fail now, not in an hour.
  PictureOptions picture_options() const {
    PictureOptions options;
    options.scale = flags_.count("log") ? Scale::log : Scale::linear;
    if (flags_.count("vmin")) options.value_min = cli::real(flags_, "vmin", -kHuge, kHuge);
    if (flags_.count("vmax")) options.value_max = cli::real(flags_, "vmax", -kHuge, kHuge);
    require(!(options.value_min >= options.value_max) || !options.value_max, "--vmin ",
            cli::text_of(flags_, "vmin"), " is not below --vmax ", cli::text_of(flags_, "vmax"));
    options.title = cli::text_of(flags_, "title");
    return options;
  }

  void choose_precision() {
    const std::string& name = precision_name_ = flags_["precision"].as<std::string>();
    require(std::set<std::string>{"f64", "f32", "tf32", "bf16x3", "bf16"}.contains(name),
            "--precision ", name, ": choose f64, f32, tf32, bf16x3 or bf16");
    if (name == "f32") return;
    require(batchnorm_.at_point == PointBatchnorm::given, "--precision ", name,
            " has no place beside --bn recompute or batch, which compute in f32");
    if (name == "f64") {
      require(pool_.device() == Device::cpu,
              "--precision f64: choose --device cpu, which alone has double precision");
      dtype_ = DType::f64;
      return;
    }
    precision_ = precision_named(name);
    require(pool_.device() != Device::cpu || has_tile_unit(), "--precision ", name,
            ": this processor has no tile unit (Intel's AMX), and without one f32 is faster");
  }

  std::string model_path() const {
    const std::string path = cli::text_of(flags_, "model-file");
    require(!path.empty(), "no model given; write landscape ", line_ ? "line" : "surface",
            " MODEL.safetensors (train and apps/import_torch.py make such files)");
    return path;
  }

  Surface axes() const {
    const bool interpolation = line_ && flags_.count("model-file2") > 0;
    const std::string x = cli::text_of(flags_, "x-axis", interpolation ? "-0.5:1.5:41" : "-1:1:51");
    const std::vector<double> xs = parse_axis("--x", x).coordinates();
    if (line_) return Surface(xs);
    const std::string y = cli::text_of(flags_, "y-axis", "-1:1:51");
    const std::vector<double> ys = parse_axis("--y", y).coordinates();
    require(xs.size() * ys.size() <= kMostPoints, "--x=", x, " and --y=", y, " make a grid of ",
            xs.size() * ys.size(), " points: ask for ", kMostPoints, " at most");
    return Surface(xs, ys);
  }

  void describe(const std::string& command) {
    Provenance& p = surface_.provenance;
    p["model"] = to_json(model_.spec);
    p["model_name"] = topograd::describe(model_.spec);
    p["model_file"] = model_.path;
    p["model_hash"] = weights_hash(model_.weights.theta, model_.weights.states);
    images_.describe(p);
    directions_.describe(p);
    p["seed"] = text(cli::seed(flags_));
    for (LossKind loss : losses_) {
      std::string& names = p["loss"];
      names += (names.empty() ? "" : ",") + std::string(name_of(loss));
    }
    p["bn_mode"] = batchnorm_.description;
    p["precision"] = precision_name_;
    if (target_se_ > 0) p["target_se"] = text(std::setprecision(15), target_se_);
    // Devices round differently. The CPU is not named: files made before there were others are its.
    if (pool_.device() != Device::cpu) p["device"] = name_of(pool_.device());
    p["version"] = cli::version();
    p["command"] = command;
    surface_.dir_file = cli::text_of(flags_, "dir-file");
  }

  void note_flags_without_effect() const {
    for (const auto& [flag, why] : kWithoutEffect)
      if (flags_.count(flag)) cli::say("landscape: note: --", flag, " has no effect: ", why);
  }

  void warn_where_invariance_fails() const {
    if (model_.spec.activation != Activation::relu)
      cli::say(
          "landscape: note: filter normalisation makes networks comparable because ReLU networks "
          "do not change when filters are rescaled; this one uses ",
          name_of(model_.spec.activation));
  }

  void continue_or_begin() {
    values_.add_planes(surface_);
    require(!fs::is_directory(output_), output_, " is a directory; --output names a file");
    if (!fs::exists(output_)) {
      surface_.save(output_);  // a place that cannot be written should fail now, not in an hour
      return;
    }
    Surface saved = Surface::load(output_);
    std::vector<std::string> reasons =
        differences(saved.provenance, surface_.provenance, kIdentity);
    if (!saved.same_points(surface_)) reasons.insert(reasons.begin(), "the grid is another one");
    if (!reasons.empty()) {
      std::string all;
      for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
      fail(output_, " belongs to another command (", all,
           "); choose another --output, or remove the file");
    }
    saved.provenance = surface_.provenance;
    surface_ = saved;
    if (surface_.done_count() > 0)
      cli::say("landscape: continuing ", output_, ": ", surface_.done_count(), " of ",
               surface_.points(), " points are done");
    if (surface_.done_count() < surface_.points()) surface_.save(output_);  // likewise
  }

  EvaluationSpec spec() const {
    return {.graph = model_.graph,
            .theta = model_.weights.theta,
            .states = model_.weights.states,
            .planes = directions_.planes,
            .sets = images_.sets,
            .losses = losses_,
            .dtype = dtype_,
            .precision = precision_,
            .target_se = target_se_,
            .batchnorm = batchnorm_.at_point,
            .statistics_batch = batchnorm_.batch,
            .forced = cli::forced_implementations(flags_)};
  }

  /// Some points again in f32: the differences stand in the file, and in the summary.
  void check_precision() {
    const std::string plane = values_.main_plane();
    const std::vector<int64_t> points = points_to_check(surface_, plane);
    Surface exact = surface_;
    EvaluationSpec in_f32 = spec();
    in_f32.dtype = DType::f32;
    in_f32.precision = Precision::f32;
    Evaluator evaluator(in_f32, pool_);
    size_t next = 0;
    evaluate_points(
        evaluator, in_f32.planes.size(),
        [&]() -> std::optional<HandedPoint> {
          if (next == points.size()) return std::nullopt;
          return handed_point(surface_, points[next++]);
        },
        [&](int64_t point, const std::vector<PointSums>& sums) {
          values_.record(exact, point, sums);
        },
        cli::interrupted);
    if (cli::interrupted()) return;
    precision_check_ = compare_at(points, surface_, exact, plane).describe(surface_, plane);
    surface_.provenance["precision_check"] = precision_check_;
    surface_.save(output_);
  }

  void report(double images_per_second) const {
    const auto [point, loss] = minimum(surface_, values_.main_plane());
    std::cout << output_ << ": " << surface_.points() << " points, " << images_.names[0]
              << " loss ";
    if (point >= 0) {
      std::cout << decimals(loss, 6) << " at the lowest, ("
                << surface_.x()[static_cast<size_t>(point % surface_.nx())];
      if (!line_) std::cout << ", " << surface_.y()[static_cast<size_t>(point / surface_.nx())];
      std::cout << ")";
    } else {
      std::cout << "nowhere finite";
    }
    if (images_per_second > 0) std::cout << "; " << decimals(images_per_second, 0) << " images/s";
    if (!precision_check_.empty()) std::cout << "\n" << precision_name_ << ", " << precision_check_;
    std::cout << '\n';
    if (flags_.count("no-pictures")) return;
    if (can_be_drawn(surface_))
      draw(surface_, picture_);
    else
      cli::say("landscape: note: no pictures: they need two points along each axis");
  }

  /// Pictures of an interrupted surface: of the finest level that is complete.
  void report_unfinished() const {
    if (flags_.count("no-pictures")) return;
    const std::optional<Surface> level = finest_complete_level(surface_);
    if (!level || !can_be_drawn(*level)) return;
    PictureOptions options = picture_;
    options.note = text("unfinished: ", extent(*level), " of ", extent(surface_), " points");
    draw(*level, options);
  }

  /// "51x51", or "51" for a line.
  static std::string extent(const Surface& surface) {
    return surface.is_line() ? text(surface.nx()) : text(surface.nx(), "x", surface.ny());
  }

  static bool can_be_drawn(const Surface& surface) {
    return surface.nx() >= 2 && (surface.is_line() || surface.ny() >= 2);
  }

  void draw(const Surface& surface, const PictureOptions& options) const {
    const std::string stem = (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
    for (const std::string& path : draw_pictures(surface, stem, options)) std::cout << path << '\n';
  }

  static constexpr double kHuge = 1e100;  // as far as an axis may reach
  static constexpr size_t kMostPoints = 10'000'000;

  const cxxopts::ParseResult& flags_;
  bool line_;
  Ranks& ranks_;
  LoadedModel model_;
  Surface surface_;
  ThreadPool pool_;
  std::vector<LossKind> losses_;
  double target_se_ = 0;
  PictureOptions picture_;
  double save_seconds_ = 0;
  std::string output_;
  SurfaceBatchnorm batchnorm_;
  std::string precision_name_;
  DType dtype_ = DType::f32;
  Precision precision_ = Precision::f32;
  std::string precision_check_;
  SurfaceImages images_;
  SurfaceDirections directions_;
  SurfaceValues values_;
  std::optional<SurfaceComputation> computation_;
};

/// Does something on all ranks; where it fails on one of them, it fails on all.
void together(Ranks& ranks, const std::function<void()>& work) {
  if (ranks.size() == 1) return work();
  std::string error;
  try {
    work();
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  agree(ranks, error);
}

}  // namespace

int run_surface(const cxxopts::ParseResult& flags, bool line, const std::string& command,
                Ranks& ranks) {
  require(flags.unmatched().empty(), "one model at a time; '",
          flags.unmatched().empty() ? "" : flags.unmatched()[0], "' is one too many");
  cli::catch_interruption();
  std::optional<SurfaceRun> run;
  together(ranks, [&] { run.emplace(flags, line, command, ranks); });
  together(ranks, [&] { run->require_same_inputs(); });
  together(ranks, [&] { run->begin(); });
  return run->run();
}

}  // namespace topograd
