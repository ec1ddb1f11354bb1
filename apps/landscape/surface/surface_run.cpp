#include "apps/landscape/surface/surface_run.h"

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "apps/common/progress.h"
#include "apps/common/terminal_observer.h"
#include "apps/landscape/common/figure_flags.h"
#include "kernels/core/format.h"
#include "landscape/connectivity/barrier.h"
#include "landscape/results/run_description.h"
#include "landscape/surface/continued_surface.h"
#include "landscape/surface/grid.h"
#include "landscape/surface/precision_check.h"
#include "landscape/surface/refinement.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPoints = 10'000'000;

/// What has to agree for a file to be continued.
const std::vector<std::string> kIdentity = {
    "model_hash", "data_hash", "direction_hash", "images", "data",      "loss",  "dir_type",
    "bn_mode",    "precision", "device",         "subset", "target_se", "seeds", "quantity"};

/// What is wrong with the flags alone should be said before anything is read.
PictureOptions checked_early(const cxxopts::ParseResult& flags, const SurfaceJob& command) {
  size_t points = 1;
  for (const std::string axis : {"x-axis", "y-axis"})
    if (flags.count(axis)) {
      const Axis parsed = parse_axis("--" + axis.substr(0, 1), cli::text_of(flags, axis));
      points *= static_cast<size_t>(parsed.points);
    }
  require(points <= kMaxPoints, "a grid of ", points, " points: ask for ", kMaxPoints, " at most");
  require(!command.output.empty(), "--output is empty: it names an HDF5 file");
  require(command.output != cli::text_of(flags, "dir-file"), "--output and --dir-file both name ",
          command.output, ": choose another name for one");
  return picture_options(flags, command.scale);
}

}  // namespace

SurfaceRun::SurfaceRun(const cxxopts::ParseResult& flags, const SurfaceJob& command,
                       const std::string& typed, ProcessGroup& ranks)
    : flags_(flags),
      command_(command),
      ranks_(ranks),
      picture_(checked_early(flags, command)),
      save_seconds_(cli::real(flags, "save-seconds", 0, 1e9)),
      inputs_(flags, command.model_path, command.leads_to_models, ranks),
      place_(command.place(inputs_, ranks.is_rank_zero())),
      surface_(axes()),
      values_(inputs_.quantities(place_.directions.seeds)) {
  inputs_.describe(surface_.provenance, typed);
  place_.directions.describe(surface_.provenance);
  surface_.dir_file = place_.directions.file;
  std::ostringstream networks;
  networks << std::setprecision(17);
  for (const auto& [at, name] : place_.marks.networks)
    networks << name << " " << at.x << " " << at.y << "\n";
  if (!place_.marks.networks.empty()) surface_.provenance["networks"] = networks.str();
}

Surface SurfaceRun::axes() const {
  const auto coordinates = [&](const std::string& name, const Axis& usual) {
    const bool given = flags_.count(name + "-axis") > 0;
    const Axis axis = given ? parse_axis("--" + name, cli::text_of(flags_, name + "-axis")) : usual;
    return axis.coordinates();
  };
  const std::vector<double> x = coordinates("x", place_.x_axis);
  return command_.line ? Surface(x) : Surface(x, coordinates("y", place_.y_axis));
}

void SurfaceRun::require_same_inputs() const {
  std::string mine;
  for (const char* key : {"model_hash", "data_hash", "direction_hash", "device", "version"}) {
    const auto found = surface_.provenance.find(key);
    mine += text(key, " ", found == surface_.provenance.end() ? "none" : found->second, "  ");
  }
  const std::string leads = ranks_.gather(mine).front();
  require(mine == leads, "has other inputs than rank 0: ", mine, "there, ", leads, "here");
}

void SurfaceRun::begin() {
  note_flags_without_effect(flags_);
  warn_where_invariance_fails();
  note_clean_labels(flags_, inputs_.images, inputs_.model);
  computation_.emplace(surface_, values_, inputs_.spec(place_.directions.planes), inputs_.pool,
                       command_.output, save_seconds_);
  if (!ranks_.is_rank_zero()) return;
  values_.add_planes(surface_);
  cli::TerminalObserver observer("landscape");
  continue_or_begin(surface_, command_.output, kIdentity, observer);
}

void SurfaceRun::warn_where_invariance_fails() const {
  if (inputs_.model.spec.activation != Activation::relu)
    cli::say(
        "landscape: note: filter normalisation makes networks comparable because ReLU networks do "
        "not change when filters are rescaled; this one uses ",
        name_of(inputs_.model.spec.activation));
}

void SurfaceRun::prepare() {
  if (ranks_.is_rank_zero() && command_.before) command_.before(inputs_, place_);
}

int SurfaceRun::run() {
  if (!ranks_.is_rank_zero()) {
    computation_->follow(ranks_);
    return 0;
  }
  if (!computation_->run(ranks_)) {
    cli::say("landscape: interrupted; ", surface_.done_count(), " of ", surface_.points(),
             " points are saved in ", command_.output, ": repeat the command to continue");
    report_unfinished();
    return cli::kInterruptedStatus;
  }
  if (inputs_.precision_name != "f32") check_precision();
  report();
  return 0;
}

/// Some points again in f32: the differences stand in the file, and in the summary.
void SurfaceRun::check_precision() {
  const std::string plane = values_.main_plane();
  const std::vector<int64_t> points = points_to_check(surface_, plane);
  Surface exact = surface_;
  EvaluationSpec in_f32 = inputs_.spec(place_.directions.planes);
  in_f32.dtype = DType::f32;
  in_f32.precision = Precision::f32;
  Evaluator evaluator(in_f32, inputs_.pool);
  size_t next = 0;
  evaluate_points(
      evaluator, in_f32.planes.size(),
      [&]() -> std::optional<GridPoint> {
        if (next == points.size()) return std::nullopt;
        return grid_point(surface_, points[next++]);
      },
      [&](int64_t point, const std::vector<PointSums>& sums) {
        values_.record(exact, point, sums);
      },
      cli::interrupted);
  if (cli::interrupted()) return;
  precision_check_ = compare_at(points, surface_, exact, plane).describe(surface_, plane);
  surface_.provenance["precision_check"] = precision_check_;
  surface_.save(command_.output);
}

void SurfaceRun::report() {
  const auto [point, loss] = minimum(surface_, values_.main_plane());
  std::cout << command_.output << ": " << surface_.points() << " points, "
            << inputs_.images.names[0] << " loss ";
  if (point >= 0) {
    std::cout << decimals(loss, 6) << " at the lowest, ("
              << surface_.x()[static_cast<size_t>(point % surface_.nx())];
    if (!command_.line)
      std::cout << ", " << surface_.y()[static_cast<size_t>(point / surface_.nx())];
    std::cout << ")";
  } else {
    std::cout << "nowhere finite";
  }
  if (const double pace = computation_->images_per_second(); pace > 0)
    std::cout << "; " << decimals(pace, 0) << " images/s";
  if (!precision_check_.empty())
    std::cout << "\n" << inputs_.precision_name << ", " << precision_check_;
  std::cout << '\n';
  if (place_.joins_models) report_barriers();
  report_networks();
  if (!wants_pictures()) return;
  if (can_be_drawn(surface_))
    draw(surface_, picture_);
  else
    cli::say("landscape: note: no pictures: they need two points along each axis");
}

bool SurfaceRun::wants_pictures() const {
  return command_.pictures && flags_.count("no-pictures") == 0;
}

/// How far the losses rise above the chord between the two networks; in the file, too.
void SurfaceRun::report_barriers() {
  bool changed = false;
  for (const std::string& set : inputs_.images.names) {
    const std::optional<Barrier> barrier =
        barrier_between(surface_.x(), surface_.plane(set + "_loss"), 0, 1);
    if (!barrier) continue;
    std::cout << set << " loss barrier " << decimals(barrier->height, 6) << " at " << barrier->at
              << ", above " << decimals(barrier->from, 6) << " and " << decimals(barrier->to, 6)
              << " at the ends\n";
    std::string& kept = surface_.provenance[set + "_loss_barrier"];
    kept = text(barrier->height, " at ", barrier->at);
    changed = true;
  }
  if (changed) surface_.save(command_.output);
}

/// Where they are on the plane, which only axes that lead from one to the other say of themselves.
void SurfaceRun::report_networks() const {
  for (const auto& [at, name] : place_.marks.networks)
    std::cout << name << " at (" << at.x << ", " << at.y << ")\n";
}

/// Pictures of an interrupted surface: of the finest level that is complete.
void SurfaceRun::report_unfinished() const {
  if (!wants_pictures()) return;
  const std::optional<Surface> level = finest_complete_level(surface_);
  if (!level || !can_be_drawn(*level)) return;
  PictureOptions options = picture_;
  options.unfinished =
      text("unfinished: ", extent_of(*level), " of ", extent_of(surface_), " points");
  draw(*level, options);
}

void SurfaceRun::draw(const Surface& surface, const PictureOptions& options) const {
  const fs::path output = command_.output;
  const std::string stem = command_.picture_stem.empty()
                               ? (output.parent_path() / output.stem()).string()
                               : command_.picture_stem;
  PictureOptions all = options;
  all.marks = place_.marks;
  all.note = place_.note;
  for (const std::string& path : draw_pictures(surface, stem, all)) std::cout << path << '\n';
  if (!place_.curves) return;
  const Figure losses = two_curves_figure(*place_.curves, surface, all);
  for (const std::string& path : save_figures({{"losses", losses}}, stem))
    std::cout << path << '\n';
}

}  // namespace topograd
