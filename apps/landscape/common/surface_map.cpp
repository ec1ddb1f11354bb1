#include "apps/landscape/common/surface_map.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "apps/common/progress.h"
#include "apps/common/table.h"
#include "apps/common/terminal_observer.h"
#include "apps/landscape/surface/recorded_directions.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "kernels/perturb/perturb.h"
#include "landscape/figures/figure.h"
#include "landscape/results/run_description.h"
#include "landscape/surface/continued_surface.h"
#include "landscape/surface/refinement.h"
#include "landscape/surface/surface_saver.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
void add_map_flags(cxxopts::Options& options) {
  options.add_options("Over a surface")
      ("over", "at every point of this surface, which landscape surface, line or plane computed",
       cxxopts::value<std::string>())
      ("dir-file", "the surface's directions, where they cannot be found again",
       cxxopts::value<std::string>())
      ("save-seconds", "save no more often than this",
       cxxopts::value<std::string>()->default_value("5"))
      ("no-pictures", "write the HDF5 file alone");
}
// clang-format on

SurfaceMap::SurfaceMap(const cxxopts::ParseResult& flags, const LoadedModel& model,
                       const SurfaceMapSpec& spec)
    : model_(model),
      spec_(spec),
      over_(flags["over"].as<std::string>()),
      source_(Surface::load(over_)),
      surface_(source_.x(), source_.y()),
      save_seconds_(cli::real(flags, "save-seconds", 0, 1e9)),
      pictures_(flags.count("no-pictures") == 0) {
  require(!spec.output.empty(), "--output is empty: it names an HDF5 file");
  require(spec.output != over_, "--output and --over both name ", over_,
          ": choose another name for the output");
  directions_ = directions_of_surface(source_, over_, model, cli::text_of(flags, "dir-file"));
  Provenance& p = surface_.provenance;
  p["quantity"] = spec.quantity;
  describe_model(p, model);
  directions_.describe(p);
  for (const auto& [key, value] : spec.choices) p[key] = value;  // a seed here is not theirs
  std::vector<std::string> identity = {"quantity", "model_hash", "direction_hash", "dir_type",
                                       "device"};
  for (const auto& [key, value] : spec.choices) identity.push_back(key);
  p["over"] = over_;
  describe_run(p, spec.device, spec.command);
  surface_.dir_file = source_.dir_file;
  for (const std::string& name : spec.planes) surface_.add_plane(name);
  cli::TerminalObserver observer("landscape");
  continue_or_begin(surface_, spec.output, identity, observer);
}

SurfaceMap::Point SurfaceMap::at(int64_t point) {
  const double alpha = surface_.x()[static_cast<size_t>(point % surface_.nx())];
  const double beta =
      surface_.is_line() ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())];
  const Directions& plane = directions_.planes.front();
  const Direction y = plane.y.value_or(Direction{});
  const auto moved = [&](const Tensor& centre, const Tensor& dx, const Tensor& dy) {
    if (!dx.defined()) return centre;
    const Tensor there(centre.shape());
    perturb({.w = there, .theta = centre, .delta = dx, .eta = dy, .a = alpha, .b = beta}, host_);
    return there;
  };
  return {alpha, beta, moved(model_.weights.theta, plane.x.parameters, y.parameters),
          moved(model_.weights.running_stats, plane.x.running_stats, y.running_stats)};
}

bool SurfaceMap::compute(const Measure& measure) {
  const std::vector<int64_t> points = points_to_do(surface_);
  if (points.empty()) return true;
  {
    ProgressBar bar(surface_.points(), surface_.done_count());
    SurfaceSaver saver(spec_.output, save_seconds_);
    for (const int64_t point : points) {
      const std::optional<Values> values = measure(at(point));
      if (!values) break;
      for (const auto& [name, value] : *values)
        surface_.add_plane(name)[static_cast<size_t>(point)] = value;
      surface_.mark_done(point);
      bar.update(surface_.done_count(), fs::path(spec_.output).filename().string(),
                 text(surface_.done_count(), "/", surface_.points(), " points"));
      saver.offer(surface_);
    }
    bar.clear();
    saver.save(surface_);
  }
  if (surface_.done_count() == surface_.points()) return true;
  cli::say("landscape: interrupted; ", surface_.done_count(), " of ", surface_.points(),
           " points are saved in ", spec_.output, ": repeat the command to continue");
  return false;
}

void SurfaceMap::print_ranges() const {
  std::vector<std::vector<std::string>> table = {{"", "smallest", "median", "largest"}};
  for (const std::string& name : spec_.planes) {
    std::vector<double> values;
    for (const double value : surface_.plane(name))
      if (std::isfinite(value)) values.push_back(value);
    std::sort(values.begin(), values.end());
    if (values.empty()) continue;
    table.push_back({name, significant(values.front()), significant(values[values.size() / 2]),
                     significant(values.back())});
  }
  print_table(table);
}

void SurfaceMap::draw(const std::string& plane, const std::string& label, const std::string& suffix,
                      const std::string& subtitle) const {
  if (!pictures_) return;
  if (surface_.nx() < 2 || (!surface_.is_line() && surface_.ny() < 2)) {
    cli::say("landscape: note: no pictures: they need two points along each axis");
    return;
  }
  FigureOptions figure;
  figure.title = surface_.provenance.at("model_name");
  figure.subtitle = subtitle;
  figure.x_label = text("alpha (", directions_.x_text, ")");
  figure.y_label = surface_.is_line() ? label : text("beta (", directions_.y_text, ")");
  figure.value_label = label;
  figure.footer = text("model ", surface_.provenance.at("model_hash"), "  directions ",
                       surface_.provenance.at("direction_hash"), "  Topograd ", version());
  const std::string stem =
      (fs::path(spec_.output).parent_path() / fs::path(spec_.output).stem()).string() + "_" +
      suffix;
  for (const char* type : {".svg", ".png"}) {
    if (surface_.is_line()) {
      const Series series{.name = label,
                          .values = surface_.plane(plane),
                          .style = Series::Style::coloured};
      save_figure(curve_figure({.x = surface_.x(), .series = {series}}, figure), stem + type);
    } else {
      save_figure(heat_map_figure({surface_.x(), surface_.y(), surface_.plane(plane)}, figure),
                  stem + type);
    }
    std::cout << stem << type << '\n';
  }
}

}  // namespace topograd
