#include "landscape/surface/function_surface.h"

#include <cmath>

#include <algorithm>
#include <cctype>
#include <set>

#include "kernels/core/format.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"
#include "landscape/surface/continued_surface.h"
#include "landscape/surface/refinement.h"
#include "landscape/surface/surface_computation.h"
#include "landscape/surface/surface_values.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

bool is_one_line(const std::string& words) {
  return std::none_of(words.begin(), words.end(),
                      [](unsigned char c) { return std::iscntrl(c) != 0; });
}

bool is_standard_error(const std::string& quantity) {
  return quantity.ends_with("_se");
}

/// Returns the seeds of a quantity's own planes: a standard error has none, but for its mean.
std::vector<uint64_t> seeds_of(const std::string& quantity, const std::vector<uint64_t>& seeds) {
  return is_standard_error(quantity) ? std::vector<uint64_t>() : seeds;
}

void check_quantities(const std::vector<std::string>& quantities) {
  const auto there = [&](const std::string& name) {
    return std::find(quantities.begin(), quantities.end(), name) != quantities.end();
  };
  require(there("loss"), "a function's surface needs the quantity 'loss'");
  for (const std::string& name : quantities) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return (c < 128 && std::isalnum(c) != 0) || c == '_';
    });
    require(plain, "a quantity cannot be named '", printable(name),
            "': letters, digits and underscores make its plane's name");
    require(!name.ends_with("_sd") && name.find("_seed") == name.npos,
            "a quantity cannot be named '", name, "': planes over several seeds are called so");
    require(std::count(quantities.begin(), quantities.end(), name) == 1, "the quantity '", name,
            "' is named twice");
    const std::string of = name.substr(0, name.size() - (is_standard_error(name) ? 3 : 0));
    require(there(of), "'", name, "' is the standard error of '", of,
            "', which the function does not return");
  }
}

void check_axis_of(const char* what, const FunctionAxis& axis) {
  check_axis(what, axis.points);
  require(is_one_line(axis.text), what, ": the direction's text is more than a line");
}

bool has_random_axis(const FunctionSurfaceSettings& s) {
  return s.x.given.empty() || (s.y && s.y->given.empty());
}

/// Returns the settings unless they contradict one another.
const FunctionSurfaceSettings& checked(const FunctionSurfaceSettings& s) {
  check_axis_of("the x axis", s.x);
  if (s.y) check_axis_of("the y axis", *s.y);
  check_size(s.x.points, s.y ? std::optional(s.y->points) : std::nullopt);
  require(s.set == "train" || s.set == "test", "the set is called '", printable(s.set),
          "': choose train or test");
  check_quantities(s.quantities);
  require(!s.function.empty() && is_one_line(s.function),
          "a function's surface needs a line of text that identifies the function");
  require(is_one_line(s.name), "the function's name is more than a line");
  require(!s.loss.empty() && is_one_line(s.loss) && s.loss.find(',') == s.loss.npos,
          "the loss needs a name, on one line and without a comma");
  require(s.seeds >= 1 && (s.seeds == 1 || has_random_axis(s)), s.seeds,
          " seeds: several need a random direction, and one is the least");
  require(s.seed <= UINT64_MAX - static_cast<uint64_t>(s.seeds), "seed ", s.seed, ": there are no ",
          s.seeds, " seeds from there on; choose a smaller one");
  return s;
}

/// Returns whether a surface's file has something of its own under this name, this one or another's.
bool is_reserved(const std::string& fact) {
  const std::set<std::string> names = {
      "",         "checksum", "command", "facts",       "networks",
      "quantity", "seed",     "seeds",   "y_direction", "dir_file"};
  return names.contains(fact);
}

std::string text_of(const FunctionAxis& axis) {
  if (axis.given.empty()) return random_direction_text(axis.norm);
  return axis.text.empty() ? "a given direction" : axis.text;
}

nlohmann::json json_of(const FunctionAxis& axis) {
  if (!axis.given.empty()) return {{"given", text_of(axis)}};
  return {{"norm", std::string(name_of(axis.norm))}, {"ignore", std::string(name_of(axis.ignore))}};
}

Surface grid_of(const FunctionSurfaceSettings& settings) {
  const std::vector<double> x = settings.x.points.coordinates();
  return settings.y ? Surface(x, settings.y->points.coordinates()) : Surface(x);
}

}  // namespace

FunctionSurface::FunctionSurface(const FunctionSurfaceSettings& settings,
                                 const std::vector<NamedTensor>& tensors, Observer& observer)
    : settings_(checked(settings)), tensors_(tensors), surface_(grid_of(settings)) {
  make_planes();
  for (const std::string& quantity : settings_.quantities)
    add_quantity(surface_, plane_name(quantity), seeds_of(quantity, seeds_));
  describe(surface_.provenance);
  // They are in planes_, and may be large.
  settings_.x.given.clear();
  if (settings_.y) settings_.y->given.clear();
  if (!settings_.output.empty()) {
    claim_.emplace(claim_output(settings_.output));
    continue_or_begin(surface_, settings_.output, identity(), observer);
    saver_.emplace(settings_.output, settings_.save_seconds);
  }
  to_do_ = points_to_do(surface_);
}

namespace {

/// Returns the cosine of the angle between two directions, neither of which is zero.
double cosine(const TensorDirection& a, const TensorDirection& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].defined() || !b[i].defined()) continue;
    with_real_type(a[i].dtype(), [&](auto real) {
      using T = decltype(real);
      for (int64_t k = 0; k < a[i].size(); ++k) {
        const double u = a[i].data<T>()[k], v = b[i].data<T>()[k];
        ab += u * v;
        aa += u * u;
        bb += v * v;
      }
    });
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

void FunctionSurface::make_planes() {
  const auto direction = [&](const FunctionAxis& axis, uint64_t seed, uint32_t number) {
    return axis.given.empty() ? tensors_.random_direction(seed, number, axis.norm, axis.ignore)
                              : tensors_.given_direction(axis.given);
  };
  for (int64_t k = 0; k < settings_.seeds; ++k) {
    const uint64_t seed = settings_.seed + static_cast<uint64_t>(k);
    Plane& plane = planes_.emplace_back(Plane{direction(settings_.x, seed, 0), std::nullopt});
    if (settings_.y) plane.y = direction(*settings_.y, seed, 1);
    require(!plane.y || std::abs(cosine(plane.x, *plane.y)) < 1 - 1e-9,
            "x and y have one direction, which spans a line and no plane: leave out y, or give "
            "directions that differ (tensors of one axis or none, which ignore=none moves along "
            "themselves, need given ones)");
    if (settings_.seeds > 1) seeds_.push_back(seed);
  }
}

std::string FunctionSurface::plane_name(const std::string& quantity) const {
  return settings_.set + "_" + quantity;
}

void FunctionSurface::describe(Provenance& p) const {
  describe_run(p, Device::cpu, settings_.command);
  if (settings_.command.empty()) p.erase("command");
  p["function"] = p["model_name"] = settings_.function;
  p["network"] = settings_.name.empty() ? "a function" : settings_.name;
  p["model_hash"] = tensors_.hash();
  p["loss"] = settings_.loss;
  std::string& values = p["values"];
  for (const std::string& quantity : settings_.quantities)
    values += text(values.empty() ? "" : ", ", plane_name(quantity));
  std::vector<TensorDirection> directions;
  for (const Plane& plane : planes_) {
    directions.push_back(plane.x);
    if (plane.y) directions.push_back(*plane.y);
  }
  p["direction_hash"] = directions_hash(directions);
  p["dir_type"] = name_of(DirectionType::weights);
  p["x_direction"] = text_of(settings_.x);
  nlohmann::json recipe = {{"kind", "function"}, {"x", json_of(settings_.x)}};
  if (settings_.y) {
    p["y_direction"] = text_of(*settings_.y);
    recipe["y"] = json_of(*settings_.y);
  }
  if (has_random_axis(settings_)) {
    p["seed"] = text(settings_.seed);
    recipe["seed"] = settings_.seed;
    recipe["seeds"] = settings_.seeds;
  }
  if (!seeds_.empty()) p["seeds"] = text(seeds_.size());
  p["direction_recipe"] = json_text(recipe);
  std::string names;
  for (const auto& [name, value] : settings_.facts) {
    require(!p.contains(name) && !is_reserved(name), "a fact cannot be named '", printable(name),
            "': every surface has that of its own");
    names += text(names.empty() ? "" : ", ", name);
  }
  for (const auto& [name, value] : settings_.facts) p[name] = value;
  if (!names.empty()) p["facts"] = names;
}

std::vector<std::string> FunctionSurface::identity() const {
  std::vector<std::string> more = {"function", "direction_hash", "dir_type", "seeds",
                                   "quantity", "values",         "facts"};
  for (const auto& [name, value] : settings_.facts) more.push_back(name);
  return identity_with(more);
}

std::vector<int64_t> FunctionSurface::next_points(int64_t count) {
  require(count >= 1, "asked for ", count, " points: one is the least");
  const std::lock_guard lock(mutex_);
  const size_t end = std::min(to_do_.size(), handed_out_ + static_cast<size_t>(count));
  const auto first = to_do_.begin();
  const std::vector<int64_t> points(first + static_cast<std::ptrdiff_t>(handed_out_),
                                    first + static_cast<std::ptrdiff_t>(end));
  handed_out_ = end;
  return points;
}

const FunctionSurface::Plane& FunctionSurface::of(int64_t plane) const {
  require(plane >= 0 && plane < planes(), "plane ", plane, " is none of ", planes());
  return planes_[static_cast<size_t>(plane)];
}

PlanePosition FunctionSurface::position(int64_t point) const {
  require(point >= 0 && point < surface_.points(), "point ", point, " is none of the surface's ",
          surface_.points());
  return grid_point(surface_, point).position;
}

std::vector<Tensor> FunctionSurface::theta_at(int64_t point, int64_t plane) const {
  std::vector<Tensor> theta;
  for (size_t i = 0; i < tensors_.count(); ++i) {
    const NamedTensor& tensor = tensors_[i];
    theta.push_back(tensor.moves ? Tensor(tensor.values.shape(), tensor.values.dtype()) : Tensor());
  }
  theta_at(point, theta, plane);
  return theta;
}

void FunctionSurface::theta_at(int64_t point, std::span<const Tensor> theta, int64_t plane) const {
  const PlanePosition at = position(point);
  tensors_.move(theta, x_direction(plane), y_direction(plane), at.alpha, at.beta);
}

void FunctionSurface::record(int64_t point, std::span<const double> values) {
  position(point);
  const size_t quantities = settings_.quantities.size();
  require(values.size() == quantities * planes_.size(), "a point has ", quantities, " values on ",
          planes_.size(), " planes, got ", values.size());
  const std::lock_guard lock(mutex_);
  require(!surface_.done(point), "point ", point, " is done already");
  for (size_t q = 0; q < quantities; ++q) {
    std::vector<double> on_planes;
    for (size_t k = 0; k < planes_.size(); ++k) on_planes.push_back(values[k * quantities + q]);
    const std::string& quantity = settings_.quantities[q];
    record_quantity(surface_, point, plane_name(quantity), on_planes, seeds_of(quantity, seeds_));
  }
  surface_.mark_done(point);
  if (!saver_) return;
  if (surface_.done_count() == surface_.points())
    saver_->save(surface_);
  else
    saver_->offer(surface_);
}

void FunctionSurface::save() {
  const std::lock_guard lock(mutex_);
  if (saver_) saver_->save(surface_);
}

Surface FunctionSurface::surface() const {
  const std::lock_guard lock(mutex_);
  return surface_;
}

}  // namespace topograd
