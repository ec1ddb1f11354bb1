#include "apps/landscape/trajectory/trajectory_command.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "apps/common/progress.h"
#include "apps/landscape/trajectory/trajectory_losses.h"
#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "landscape/plots/trajectory_plots.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// What must agree for a file to be continued.
const std::vector<std::string> kIdentity = {
    "checkpoints_hash", "data_hash", "direction_hash", "images", "data",   "loss",
    "dir_type",         "bn_mode",   "precision",      "device", "subset", "target_se"};

/// Parameters, and BatchNorm's statistics behind them where they move.
Tensor flat(const Tensor& parameters, const Tensor& running_stats) {
  if (!running_stats.defined() || running_stats.size() == 0) return parameters;
  const Tensor both({parameters.size() + running_stats.size()});
  std::copy_n(parameters.data<float>(), parameters.size(), both.data<float>());
  std::copy_n(running_stats.data<float>(), running_stats.size(),
              both.data<float>() + parameters.size());
  return both;
}

Direction direction_of(const Tensor& flat, const ParameterLayout& layout, DirectionType type) {
  const auto part = [&](int64_t begin, int64_t size) {
    const Tensor result({size});
    std::copy_n(flat.data<float>() + begin, size, result.data<float>());
    return result;
  };
  Direction direction{.parameters = part(0, layout.parameter_count()), .running_stats = {}};
  if (type == DirectionType::states)
    direction.running_stats = part(layout.parameter_count(), layout.state_count());
  return direction;
}

/// The rows without what has one axis: biases, BatchNorm's scale, shift and statistics.
Tensor weights_alone(const Tensor& rows, const ParameterLayout& layout) {
  const Tensor kept = Tensor::zeros(rows.shape());
  for (int64_t e = 0; e < rows.dim(0); ++e)
    for (const ParameterEntry& entry : layout.parameters()) {
      const int64_t at = e * rows.dim(1) + entry.offset;
      if (entry.shape.rank() > 1)
        std::copy_n(rows.data<float>() + at, entry.size(), kept.data<float>() + at);
    }
  return kept;
}

/// A fifth of the values' range on both sides, and `least` in all.
Axis axis_around(const std::vector<double>& values, double least) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high - *low;
  return covering_axis(values, std::max(0.2 * range, 0.5 * (least - range)), 31);
}

double extent(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

class Trajectory {
 public:
  Trajectory(const cxxopts::ParseResult& flags, const std::string& typed)
      : flags_(flags),
        typed_(typed),
        checkpoints_(checkpoint_list(flags)),
        output_(cli::text_of(flags, "output", checkpoints_.name + "_trajectory.h5")),
        given_directions_(cli::text_of(flags, "dir-file")),
        ignore_(ignore_named(flags["ignore"].as<std::string>())),
        results_(std::vector<double>(checkpoints_.paths.size())) {
    require(!output_.empty(), "--output is empty: it names an HDF5 file");
    require(output_ != given_directions_, "--output and --dir-file both name ", output_,
            ": choose another name for one");
    is_there(output_);  // an Error where it is a folder
    stem_ = (fs::path(output_).parent_path() / fs::path(output_).stem()).string();
  }

  std::string last() const { return checkpoints_.paths.back(); }
  std::string surface_file() const { return stem_ + "_surface.h5"; }
  const std::string& stem() const { return stem_; }

  SurfaceGeometry place(SurfaceInputs& inputs, bool lead) {
    read_checkpoints(inputs);
    // Vectors are on the CPU, whatever device computes the losses.
    std::optional<ThreadPool> other;
    const bool on_cpu = inputs.pool.device() == Device::cpu;
    ThreadPool& pool = on_cpu ? inputs.pool : other.emplace();
    SurfaceGeometry place;
    const bool given = !given_directions_.empty() && fs::exists(given_directions_);
    if (given)
      place.directions = directions_in_file(given_directions_, inputs.model, type_, false);
    else
      find_components(inputs, place.directions, pool);
    const Directions& plane = place.directions.planes.front();
    const Tensor dx = flat(plane.x.parameters, plane.x.running_stats);
    const Tensor dy = flat(plane.y->parameters, plane.y->running_stats);
    PlaneCoordinates& at = results_.coordinates;
    at = plane_coordinates(rows_, dx, dy, pool);
    results_.in_plane = variance_in_plane(rows_, at, dx, dy, pool);
    rows_ = Tensor();  // large
    const double least = 0.7 * std::max(extent(at.x), extent(at.y));
    place.x_axis = axis_around(at.x, least);
    place.y_axis = axis_around(at.y, least);
    describe(inputs, place.directions);
    place.marks = trajectory_marks(results_);
    if (lead) continue_or_begin(inputs);
    if (lead && !given) write(inputs, place.directions);
    return place;
  }

  void compute(SurfaceInputs& inputs, SurfaceGeometry& place) {
    compute_losses(results_, output_, checkpoints_, place.directions.planes, inputs,
                   SurfaceValues(inputs.quantities()), cli::real(flags_, "save-seconds", 0, 1e9));
    place.note = trajectory_note(results_, inputs.images.names.front());
    place.curves = trajectory_curves(results_, inputs.images.names.front());
    if (!cli::interrupted()) print_trajectory(results_, inputs.images.names);
  }

 private:
  void read_checkpoints(const SurfaceInputs& inputs) {
    type_ = inputs.batchnorm.directions;
    config_ = inputs.model.info.config;
    std::vector<Tensor> networks;
    std::string hashes;
    for (const std::string& path : checkpoints_.paths) {
      const LoadedModel model = load_model(path);
      require(to_json(model.spec) == to_json(inputs.model.spec), path, " holds ",
              topograd::describe(model.spec), ", ", inputs.model.path, " ",
              topograd::describe(inputs.model.spec), ": they are of no one run");
      const bool running_stats = type_ == DirectionType::states;
      networks.push_back(
          flat(model.weights.theta, running_stats ? model.weights.running_stats : Tensor()));
      hashes += weights_hash(model.weights.theta, model.weights.running_stats);
      const auto noted = model.info.notes.find("epoch");
      const size_t e = networks.size() - 1;
      results_.epochs[e] = epoch_of(path, noted == model.info.notes.end() ? "" : noted->second,
                                    static_cast<double>(e));
      one_run_ = one_run_ && model.info.config == config_;
    }
    checkpoints_hash_ = hex(content_hash(hashes.data(), hashes.size(), 0));
    rows_ = steps_from(networks.back(), networks);
  }

  void find_components(const SurfaceInputs& inputs, SurfaceDirections& directions,
                       ThreadPool& pool) {
    const ParameterLayout& layout = inputs.model.graph.layout();
    const Tensor rows = ignore_ == Ignore::biasbn ? weights_alone(rows_, layout) : rows_;
    components_ = principal_components(rows, 2, pool);
    results_.explained = components_.explained;
    results_.random_walk =
        random_walk_explained(results_.count(), static_cast<int>(components_.explained.size()));
    directions.type = type_;
    directions.planes.push_back({direction_of(components_.directions[0], layout, type_),
                                 direction_of(components_.directions[1], layout, type_)});
    directions.file = given_directions_.empty() ? stem_ + "_directions.h5" : given_directions_;
    const auto axis = [&](size_t k) {
      return text("PC ", k + 1, ": ", decimals(100 * results_.explained[k], 1),
                  " %; a random walk's: ", decimals(100 * results_.random_walk[k], 1), " %");
    };
    directions.x_text = axis(0);
    directions.y_text = axis(1);
  }

  /// The checkpoints after which the learning rate fell, where the run says so.
  std::string drops() const {
    std::string found;
    if (!one_run_) return found;
    for (double drop : rate_drops(config_)) {
      const auto at = std::find_if(results_.epochs.begin(), results_.epochs.end() - 1,
                                   [&](double epoch) { return epoch >= drop; });
      if (at != results_.epochs.end() - 1) found += text(at - results_.epochs.begin(), " ");
    }
    return found;
  }

  void describe(const SurfaceInputs& inputs, const SurfaceDirections& directions) {
    Provenance& p = results_.provenance;
    inputs.describe(p, typed_);
    directions.describe(p);
    p["checkpoints_hash"] = checkpoints_hash_;
    std::string names;
    for (const std::string& path : checkpoints_.paths) names += path + "\n";
    p["checkpoints"] = names;
    p["dir_file"] = directions.file;
    p["ignore"] = name_of(ignore_);
    const std::string rate_drops = drops();
    if (!rate_drops.empty()) p["rate_drops"] = rate_drops;
  }

  void continue_or_begin(const SurfaceInputs& inputs) {
    const SurfaceValues values(inputs.quantities());
    values.add_planes(results_.own);
    values.add_planes(results_.projected);
    if (!is_there(output_)) return;
    require_same_command(output_, TrajectoryResults::read_provenance(output_), results_.provenance,
                         kIdentity);
    results_.take_losses(output_);
  }

  void write(const SurfaceInputs& inputs, const SurfaceDirections& directions) const {
    const ParameterLayout& layout = inputs.model.graph.layout();
    const Directions& plane = directions.planes.front();
    if (fs::exists(directions.file)) {
      const Directions there = read_directions(directions.file, layout, type_);
      require(directions_hash({there}) == directions_hash({plane}), directions.file,
              " holds other directions: choose another --output, or remove the file");
      return;
    }
    const auto first_two = [](const std::vector<double>& all) {
      return std::vector<double>(all.begin(), all.begin() + 2);
    };
    write_directions(directions.file, layout, type_, plane.x, plane.y, results_.provenance,
                     {{"explained_variance_ratio_", first_two(components_.explained)},
                      {"explained_variance_", first_two(components_.variances)},
                      {"singular_values_", first_two(components_.singular_values)}});
  }

  const cxxopts::ParseResult& flags_;
  std::string typed_;
  CheckpointList checkpoints_;
  std::string output_, stem_;
  std::string given_directions_;
  Ignore ignore_;
  DirectionType type_ = DirectionType::weights;
  Tensor rows_;  // theta_e - theta_last, until they are projected
  std::string checkpoints_hash_;
  std::string config_;
  bool one_run_ = true;
  PrincipalComponents components_;
  TrajectoryResults results_;
};

}  // namespace

SurfaceJob trajectory_command(const cxxopts::ParseResult& flags, const std::string& typed) {
  const auto trajectory = std::make_shared<Trajectory>(flags, typed);
  SurfaceJob command;
  command.model_path = trajectory->last();
  command.output = trajectory->surface_file();
  command.picture_stem = trajectory->stem();
  command.scale = std::nullopt;
  command.place = [trajectory](SurfaceInputs& inputs, bool lead) {
    return trajectory->place(inputs, lead);
  };
  command.before = [trajectory](SurfaceInputs& inputs, SurfaceGeometry& place) {
    trajectory->compute(inputs, place);
  };
  return command;
}

}  // namespace topograd
