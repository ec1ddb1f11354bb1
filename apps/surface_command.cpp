#include "apps/surface_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "apps/model_file.h"
#include "apps/progress.h"
#include "apps/surface_pictures.h"
#include "kernels/core/hash.h"
#include "landscape/evaluator.h"
#include "landscape/grid.h"
#include "landscape/surface.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What has to agree for a file to be continued.
const std::vector<std::string> kIdentity = {"model_hash", "data_hash", "direction_hash", "images",
                                            "data",       "loss",      "dir_type",       "bn_mode",
                                            "precision",  "device"};

/// Flags of the reference implementation that have nothing to say here.
const std::pair<const char*, const char*> kWithoutEffect[] = {
    {"mpi", "one process computes the surface"},
    {"cuda", "a GPU is used where there is one; --device chooses"},
    {"ngpu", "one GPU computes the surface"},
    {"batch-size", "images are evaluated in chunks that fit the cache"},
    {"raw-data", "images are always raw, only normalised"},
    {"vlevel", "contour levels are chosen by the picture"},
    {"show", "pictures are files; nothing is opened"},
    {"plot", "pictures are always drawn"},
};

std::string text_of(const cxxopts::ParseResult& flags, const std::string& name,
                    const std::string& fallback = {}) {
  return flags.count(name) ? flags[name].as<std::string>() : fallback;
}

bool file_exists(const std::string& path) {
  return !path.empty() && fs::exists(path);
}

/// How one axis's direction is made.
struct DirectionPlan {
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  uint32_t number = 0;
  std::string target;  ///< another model's file: the direction leads there

  std::string describe() const {
    if (!target.empty()) return "towards " + fs::path(target).stem().string();
    switch (norm) {
      case DirectionNorm::filter:
        return "filter-normalised random direction";
      case DirectionNorm::layer:
        return "layer-normalised random direction";
      case DirectionNorm::weight:
        return "weight-scaled random direction";
      case DirectionNorm::dfilter:
        return "random direction, unit filters";
      case DirectionNorm::dlayer:
        return "random direction, unit layers";
      case DirectionNorm::none:
        return "random direction";
    }
    return {};
  }
};

/// Everything a run needs, from the flags.
class SurfaceRun {
 public:
  SurfaceRun(const cxxopts::ParseResult& flags, bool line, const std::string& command)
      : flags_(flags),
        line_(line),
        model_(load_model(model_path(), text_of(flags, "model"))),
        surface_(axes()),
        pool_(cli::pool(flags)) {
    cli::force_implementations(flags, pool_);
    // On the way to another network BatchNorm's statistics move too: alpha = 1 is that network.
    const bool leads_to_model = flags.count("model-file2") > 0 || flags.count("model-file3") > 0;
    dir_type_ =
        direction_type_named(text_of(flags, "dir-type", leads_to_model ? "states" : "weights"));
    loss_ = cli::loss(flags);
    output_ = text_of(flags, "output",
                      fs::path(model_.path).stem().string() + (line ? "_line.h5" : "_surface.h5"));
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require(output_ != text_of(flags, "dir-file"), "--output and --dir-file both name ", output_,
            ": choose another name for one");
    picture_ = picture_options();
    save_seconds_ = cli::real(flags, "save-seconds", 0, 1e9);
    const std::string dataset = flags["dataset"].as<std::string>();
    require(dataset == "cifar10", "--dataset ", dataset,
            ": only cifar10 is known by name; --data takes any folder of images");
    load_images();
    make_directions();
    describe(command);
  }

  int run() {
    note_flags_without_effect();
    warn_where_invariance_fails();
    if (set_names_[0] == "train" && flags_.count("noisy-labels") == 0)
      note_clean_labels(model_, "landscape");
    continue_or_begin();
    if (!compute()) {
      std::cerr << "landscape: interrupted; " << surface_.done_count() << " of "
                << surface_.points() << " points are saved in " << output_
                << ": repeat the command to continue\n";
      return cli::kInterruptedStatus;
    }
    report();
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
            text_of(flags_, "vmin"), " is not below --vmax ", text_of(flags_, "vmax"));
    options.title = text_of(flags_, "title");
    return options;
  }

  std::string model_path() const {
    const std::string path = text_of(flags_, "model-file");
    require(!path.empty(), "no model given; write landscape ", line_ ? "line" : "surface",
            " MODEL.safetensors (train and apps/import_torch.py make such files)");
    return path;
  }

  Surface axes() const {
    const bool interpolation = line_ && flags_.count("model-file2") > 0;
    const std::string x = text_of(flags_, "x-axis", interpolation ? "-0.5:1.5:41" : "-1:1:51");
    const std::vector<double> xs = parse_axis("--x", x).coordinates();
    if (line_) return Surface(xs);
    const std::string y = text_of(flags_, "y-axis", "-1:1:51");
    const std::vector<double> ys = parse_axis("--y", y).coordinates();
    require(xs.size() * ys.size() <= kMostPoints, "--x=", x, " and --y=", y, " make a grid of ",
            xs.size() * ys.size(), " points: ask for ", kMostPoints, " at most");
    return Surface(xs, ys);
  }

  void load_images() {
    DataSpec spec;
    spec.source = text_of(flags_, "data", "synthetic");
    spec.image_size = model_.spec.image_size;
    const DataSplits data = load_data(spec);
    const std::string split = flags_["split"].as<std::string>();
    require(split == "train" || split == "test" || split == "both", "--split ", split,
            ": choose train, test or both");
    const bool noisy = flags_.count("noisy-labels") > 0;
    require(!noisy || split != "test",
            "--noisy-labels: only training labels have noise; choose "
            "--split train or both");
    data_name_ = data.train.name + " " +
                 (split == "both"    ? "training and test"
                  : split == "train" ? "training"
                                     : "test");
    if (noisy) {
      data_name_ += ", noisy training labels";
      add_set("train", noisy_training_data(model_, data.train, spec.source), spec.source);
    } else if (split != "test") {
      add_set("train", data.train, spec.source);
    }
    if (split != "train") add_set("test", data.test, spec.source);
  }

  void add_set(const std::string& name, const Dataset& data, const std::string& source) {
    require_fitting_data(model_.spec, data, source);
    LabelledImages images = data.view();
    images.normalisation = model_.info.normalisation;
    const int64_t limit = cli::whole(flags_, "images", 0, 1 << 30);
    require(limit <= images.count(), "--images ", limit, ": the ", name, " split has only ",
            images.count());
    images = images.first(limit);
    const int64_t splits = cli::whole(flags_, "data-split", 1, images.count());
    if (splits > 1) images = random_part(images, splits);
    set_names_.push_back(name);
    sets_.push_back(images);
  }

  /// The reference's data_split: one of `splits` random parts of equal size, the same in every run.
  LabelledImages random_part(const LabelledImages& all, int64_t splits) const {
    const int64_t part = cli::whole(flags_, "split-idx", 0, splits - 1);
    const int64_t size = all.count() / splits;
    const std::vector<int32_t> order = shuffled_order(all.count(), 0, 0);
    LabelledImages chosen{Tensor(all.images.shape().with_first(size), DType::u8),
                          Tensor({size}, DType::i32), all.normalisation};
    for (int64_t i = 0; i < size; ++i) {
      const int64_t source = order[static_cast<size_t>(part * size + i)];
      chosen.images.rows(i, i + 1).copy_from(all.images.rows(source, source + 1));
      chosen.labels.rows(i, i + 1).copy_from(all.labels.rows(source, source + 1));
    }
    return chosen;
  }

  DirectionPlan plan_for(const std::string& axis, uint32_t number) const {
    DirectionPlan plan;
    const bool own = flags_.count(axis + "norm") > 0;
    plan.norm = direction_norm_named(flags_[own ? axis + "norm" : "norm"].as<std::string>());
    const bool own_ignore = flags_.count(axis + "ignore") > 0;
    plan.ignore = ignore_named(flags_[own_ignore ? axis + "ignore" : "ignore"].as<std::string>());
    plan.number = number;
    plan.target = text_of(flags_, axis == "x" ? "model-file2" : "model-file3");
    return plan;
  }

  Direction make(const DirectionPlan& plan) const {
    const TrainingState& w = model_.weights;
    const bool with_states = dir_type_ == DirectionType::states;
    if (!plan.target.empty()) {
      const LoadedModel other = load_model(plan.target);
      require(to_json(other.spec) == to_json(model_.spec), plan.target, " holds ",
              describe_model(other.spec), ", ", model_.path, " ", describe_model(model_.spec),
              ": no line joins them");
      return with_states ? difference(w.theta, other.weights.theta, w.states, other.weights.states)
                         : difference(w.theta, other.weights.theta);
    }
    return random_direction(model_.graph.layout(), w.theta, w.states, cli::seed(flags_),
                            plan.number, plan.norm, plan.ignore, dir_type_);
  }

  static std::string describe_model(const ModelSpec& spec) { return topograd::describe(spec); }

  void make_directions() {
    const ParameterLayout& layout = model_.graph.layout();
    const std::string file = text_of(flags_, "dir-file");
    const uint32_t index = static_cast<uint32_t>(cli::whole(flags_, "idx", 0, 1 << 30));
    x_plan_ = plan_for("x", 2 * index);
    y_plan_ = plan_for("y", 2 * index + 1);
    if (file_exists(file)) {
      directions_ = read_directions(file, layout, dir_type_);
      if (line_) directions_.y.reset();
      require(line_ || directions_.y, file, " holds one direction; a surface needs two");
      x_text_ = "direction x of " + fs::path(file).filename().string();
      y_text_ = "direction y of " + fs::path(file).filename().string();
      return;
    }
    directions_.x = make(x_plan_);
    x_text_ = x_plan_.describe();
    if (!line_) {
      const bool same = flags_.count("same-dir") > 0;
      directions_.y = same ? directions_.x : make(y_plan_);
      y_text_ = same ? x_text_ : y_plan_.describe();
    }
    if (!file.empty()) {
      Provenance provenance{
          {"model_hash", weights_hash(model_.weights.theta, model_.weights.states)},
          {"seed", text(cli::seed(flags_))},
          {"x", x_text_},
          {"y", y_text_},
          {"version", cli::version()}};
      write_directions(file, layout, dir_type_, directions_.x, directions_.y, provenance);
    }
  }

  void describe(const std::string& command) {
    Provenance& p = surface_.provenance;
    int64_t images = 0;
    uint64_t data_hash = 0;
    for (const LabelledImages& set : sets_) {
      images += set.count();
      data_hash =
          content_hash(set.images.raw(), static_cast<size_t>(set.images.bytes()), data_hash);
      data_hash =
          content_hash(set.labels.raw(), static_cast<size_t>(set.labels.bytes()), data_hash);
      const auto& n = set.normalisation;
      data_hash = content_hash(n.mean.data(), n.mean.size() * sizeof(double), data_hash);
      data_hash = content_hash(n.std_dev.data(), n.std_dev.size() * sizeof(double), data_hash);
    }
    uint64_t direction_hash = 0;
    for (const Direction& d : {directions_.x, directions_.y.value_or(Direction{})})
      for (const Tensor& t : {d.parameters, d.states})
        if (t.defined())
          direction_hash = content_hash(t.raw(), static_cast<size_t>(t.bytes()), direction_hash);
    p["model"] = to_json(model_.spec);
    p["model_name"] = topograd::describe(model_.spec);
    p["model_file"] = model_.path;
    p["model_hash"] = weights_hash(model_.weights.theta, model_.weights.states);
    p["data"] = data_name_;
    p["data_hash"] = hex(data_hash);
    p["images"] = text(images);
    p["direction_hash"] = hex(direction_hash);
    p["x_direction"] = x_text_;
    if (!line_) p["y_direction"] = y_text_;
    p["seed"] = text(cli::seed(flags_));
    p["dir_type"] = name_of(dir_type_);
    p["loss"] = name_of(loss_);
    p["bn_mode"] = dir_type_ == DirectionType::states ? "states along the direction" : "frozen";
    p["precision"] = "f32";
    // Devices round differently. The CPU is not named: files made before there were others are its.
    if (pool_.device() != Device::cpu) p["device"] = name_of(pool_.device());
    p["version"] = cli::version();
    p["command"] = command;
    surface_.dir_file = text_of(flags_, "dir-file");
  }

  void note_flags_without_effect() const {
    for (const auto& [flag, why] : kWithoutEffect)
      if (flags_.count(flag))
        std::cerr << "landscape: note: --" << flag << " has no effect: " << why << '\n';
  }

  void warn_where_invariance_fails() const {
    if (model_.spec.activation != Activation::relu)
      std::cerr << "landscape: note: filter normalisation makes networks comparable because ReLU "
                   "networks do not change when filters are rescaled; this one uses "
                << name_of(model_.spec.activation) << '\n';
  }

  void continue_or_begin() {
    for (const std::string& set : set_names_)
      for (const char* quantity : {"_loss", "_acc", "_loss_se"}) surface_.add_plane(set + quantity);
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
      std::cerr << "landscape: continuing " << output_ << ": " << surface_.done_count() << " of "
                << surface_.points() << " points are done\n";
  }

  /// Returns false when interrupted.
  bool compute() {
    Evaluator evaluator(model_.graph, model_.weights.theta, model_.weights.states, directions_,
                        sets_, loss_, pool_);
    std::vector<int64_t> todo;
    for (int64_t i = 0; i < surface_.points(); ++i)
      if (!surface_.done(i)) todo.push_back(i);
    const int64_t before = surface_.done_count();
    ProgressBar bar(surface_.points(), before);
    double saved_at = 0;
    const size_t step = static_cast<size_t>(evaluator.points_per_call());
    for (size_t begin = 0; begin < todo.size(); begin += step) {
      const size_t end = std::min(todo.size(), begin + step);
      evaluate_points(evaluator, {todo.begin() + static_cast<std::ptrdiff_t>(begin),
                                  todo.begin() + static_cast<std::ptrdiff_t>(end)});
      const double images = static_cast<double>(surface_.done_count() - before) *
                            static_cast<double>(evaluator.images_per_point());
      bar.update(surface_.done_count(), fs::path(output_).filename().string(),
                 text(surface_.done_count(), "/", surface_.points(), " points  ",
                      decimals(images / bar.seconds(), 0), " images/s  minimum ",
                      decimals(minimum().second, 4)));
      if (cli::interrupted() && end < todo.size()) {
        surface_.save(output_);
        return false;
      }
      if (bar.seconds() - saved_at > save_seconds_) {
        surface_.save(output_);
        saved_at = bar.seconds();
      }
    }
    surface_.save(output_);
    images_per_second_ = static_cast<double>(surface_.done_count() - before) *
                         static_cast<double>(evaluator.images_per_point()) / bar.seconds();
    return true;
  }

  void evaluate_points(Evaluator& evaluator, const std::vector<int64_t>& points) {
    std::vector<PlanePosition> positions;
    for (int64_t point : points)
      positions.push_back({surface_.x()[static_cast<size_t>(point % surface_.nx())],
                           line_ ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())]});
    const auto sums = evaluator.evaluate(positions);
    for (size_t k = 0; k < points.size(); ++k) {
      for (size_t set = 0; set < sets_.size(); ++set) {
        const LossSums& s = sums[k][set];
        const size_t i = static_cast<size_t>(points[k]);
        surface_.add_plane(set_names_[set] + "_loss")[i] = s.mean();
        surface_.add_plane(set_names_[set] + "_acc")[i] = s.accuracy();
        surface_.add_plane(set_names_[set] + "_loss_se")[i] = s.standard_error();
      }
      surface_.mark_done(points[k]);
    }
  }

  /// The smallest loss so far and its point; NaN values are passed over.
  std::pair<int64_t, double> minimum() const {
    const std::vector<double>& loss = surface_.plane(set_names_[0] + "_loss");
    std::pair<int64_t, double> best{-1, NAN};
    for (size_t i = 0; i < loss.size(); ++i)
      if (std::isfinite(loss[i]) && (best.first < 0 || loss[i] < best.second))
        best = {static_cast<int64_t>(i), loss[i]};
    return best;
  }

  void report() const {
    const auto [point, loss] = minimum();
    std::cout << output_ << ": " << surface_.points() << " points, " << set_names_[0] << " loss ";
    if (point >= 0) {
      std::cout << decimals(loss, 6) << " at the lowest, ("
                << surface_.x()[static_cast<size_t>(point % surface_.nx())];
      if (!line_) std::cout << ", " << surface_.y()[static_cast<size_t>(point / surface_.nx())];
      std::cout << ")";
    } else {
      std::cout << "nowhere finite";
    }
    if (images_per_second_ > 0) std::cout << "; " << decimals(images_per_second_, 0) << " images/s";
    std::cout << '\n';
    if (flags_.count("no-pictures")) return;
    if (surface_.nx() < 2 || (!line_ && surface_.ny() < 2)) {
      std::cerr << "landscape: note: no pictures: they need two points along each axis\n";
      return;
    }
    const std::string stem = (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
    for (const std::string& path : draw_pictures(surface_, stem, picture_))
      std::cout << path << '\n';
  }

  static constexpr double kHuge = 1e100;  // as far as an axis may reach
  static constexpr size_t kMostPoints = 10'000'000;

  const cxxopts::ParseResult& flags_;
  bool line_;
  LoadedModel model_;
  Surface surface_;
  ThreadPool pool_;
  DirectionType dir_type_ = DirectionType::weights;
  LossKind loss_ = LossKind::cross_entropy;
  PictureOptions picture_;
  double save_seconds_ = 0;
  std::string output_;
  std::string data_name_;
  std::vector<std::string> set_names_;
  std::vector<LabelledImages> sets_;
  DirectionPlan x_plan_, y_plan_;
  std::string x_text_, y_text_;
  Directions directions_;
  double images_per_second_ = 0;
};

}  // namespace

int run_surface(const cxxopts::ParseResult& flags, bool line, const std::string& command) {
  require(flags.unmatched().empty(), "one model at a time; '",
          flags.unmatched().empty() ? "" : flags.unmatched()[0], "' is one too many");
  cli::catch_interruption();
  return SurfaceRun(flags, line, command).run();
}

}  // namespace topograd
