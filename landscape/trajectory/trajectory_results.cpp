#include "landscape/trajectory/trajectory_results.h"

#include <cmath>
#include <limits>
#include <utility>

#include "kernels/core/atomic_file.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/result_names.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

constexpr const char* kProjected = "projected_";

/// Returns 0, 1, ..., n - 1.
std::vector<double> numbers(size_t n) {
  std::vector<double> result(n);
  for (size_t i = 0; i < n; ++i) result[i] = static_cast<double>(i);
  return result;
}

void write_list(Hdf5File& file, const std::string& name, const std::vector<double>& values) {
  if (!values.empty()) file.write(name, values.data(), {static_cast<int64_t>(values.size())});
}

void write_losses(Hdf5File& file, const std::string& prefix, const Surface& losses) {
  for (const auto& [name, values] : losses.planes()) write_list(file, prefix + name, values);
  std::vector<uint8_t> done;
  for (int64_t e = 0; e < losses.points(); ++e) done.push_back(losses.done(e));
  file.write(prefix + "done", done.data(), {losses.points()});
}

void read_losses(const Hdf5File& file, const std::string& prefix, Surface& losses) {
  const Shape shape{losses.points()};
  const auto require_fit = [&](const std::string& name) {
    require(file.has(name) && file.shape(name) == shape, file.path(), " holds no ", name, " of ",
            losses.points(), " checkpoints");
  };
  require_fit(prefix + "done");
  const std::vector<uint8_t> done = file.read<uint8_t>(prefix + "done");
  std::vector<std::string> names;
  for (const auto& [name, values] : losses.planes()) names.push_back(name);
  for (const std::string& name : names) {
    require_fit(prefix + name);
    losses.add_plane(name) = file.read<double>(prefix + name);
  }
  for (int64_t e = 0; e < losses.points(); ++e)
    if (done[static_cast<size_t>(e)]) losses.mark_done(e);
}

std::vector<double> read_list(const Hdf5File& file, const std::string& name, size_t count) {
  const std::vector<double> values = file.read<double>(name);
  require(values.size() == count, file.path(), ": ", name, " has ", values.size(), " values for ",
          count, " checkpoints");
  return values;
}

/// Adds the planes of losses that the file has under a prefix, without values.
void add_planes(const Hdf5File& file, const std::string& prefix, Surface& losses) {
  for (const std::string& name : file.members())
    for (const char* set : {"train_", "test_"})
      if (name.starts_with(prefix + set)) losses.add_plane(name.substr(prefix.size()));
}

}  // namespace

TrajectoryResults::TrajectoryResults(std::vector<double> all)
    : epochs(std::move(all)), own(numbers(epochs.size())), projected(numbers(epochs.size())) {}

void TrajectoryResults::save(const std::string& path) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    write_list(file, "epoch", epochs);
    write_list(file, "proj_xcoord", coordinates.x);
    write_list(file, "proj_ycoord", coordinates.y);
    write_list(file, "distance", coordinates.distance);
    write_list(file, "length", coordinates.length);
    file.write("variance_in_plane", &in_plane, Shape{});
    write_list(file, "explained_variance_ratio_", explained);
    write_list(file, "random_walk_variance_ratio", random_walk);
    write_losses(file, "", own);
    write_losses(file, kProjected, projected);
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

TrajectoryResults TrajectoryResults::load(const std::string& path) {
  const Provenance provenance = read_provenance(path);
  const Hdf5File file = Hdf5File::open_read(path);
  TrajectoryResults results(file.read<double>("epoch"));
  results.provenance = provenance;
  const size_t n = results.epochs.size();
  results.coordinates = {.x = read_list(file, "proj_xcoord", n),
                         .y = read_list(file, "proj_ycoord", n),
                         .distance = read_list(file, "distance", n),
                         .length = read_list(file, "length", n)};
  results.in_plane = file.read<double>("variance_in_plane").at(0);
  if (file.has("explained_variance_ratio_")) {
    results.explained = file.read<double>("explained_variance_ratio_");
    results.random_walk = file.read<double>("random_walk_variance_ratio");
  }
  add_planes(file, "", results.own);
  add_planes(file, kProjected, results.projected);
  results.take_losses(path);
  return results;
}

void TrajectoryResults::take_losses(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  read_losses(file, "", own);
  read_losses(file, kProjected, projected);
}

Provenance TrajectoryResults::read_provenance(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  require(file.has("proj_xcoord") && file.has("projected_done"), path,
          " is not a file of landscape trajectory");
  return file.attributes();
}

double largest_difference(const TrajectoryResults& results, const std::string& set) {
  double largest = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double>& own = results.own.plane(set + "_loss");
  const std::vector<double>& projected = results.projected.plane(set + "_loss");
  for (size_t e = 0; e < own.size(); ++e) {
    const double difference = std::abs(own[e] - projected[e]);
    if (std::isfinite(difference) && !(difference <= largest)) largest = difference;
  }
  return largest;
}

Record TrajectoryResults::record() const {
  Record record{"trajectory", title_of(provenance), provenance, {"epoch"}};
  record.add_series("epoch", "epoch", epochs);
  record.add_series("proj_xcoord", "epoch", coordinates.x);
  record.add_series("proj_ycoord", "epoch", coordinates.y);
  record.add_series("length", "epoch", coordinates.length);
  record.add_series("distance", "epoch", coordinates.distance);
  add_planes_to(record, own, "", "epoch");
  add_planes_to(record, projected, kProjected, "epoch");
  record.add_number("variance_in_plane", in_plane);
  if (explained.empty()) return record;
  record.add_series("explained_variance_ratio_", "component", explained);
  record.add_series("random_walk_variance_ratio", "component", random_walk);
  return record;
}

TrajectoryResults trajectory_of(const Record& record) {
  const auto along_epochs = [&](const std::string& name) {
    const std::vector<double>& values = record.numbers(name);
    require(record.find(name)->axes == std::vector<std::string>{"epoch"}, record.file, ": ", name,
            " does not lie along the axis epoch");
    return values;
  };
  TrajectoryResults results(along_epochs("epoch"));
  results.provenance = record.provenance;
  results.coordinates = {.x = along_epochs("proj_xcoord"),
                         .y = along_epochs("proj_ycoord"),
                         .distance = along_epochs("distance"),
                         .length = along_epochs("length")};
  results.in_plane = record.number("variance_in_plane");
  if (record.find("explained_variance_ratio_")) {
    results.explained = record.numbers("explained_variance_ratio_");
    results.random_walk = record.numbers("random_walk_variance_ratio");
  }
  for (const NamedArray* array : record.over({"epoch"})) {
    if (array->mask == "done") results.own.add_plane(array->name) = array->numbers;
    if (array->mask == text(kProjected, "done") && array->name.starts_with(kProjected))
      results.projected.add_plane(array->name.substr(std::string(kProjected).size())) =
          array->numbers;
  }
  for (const auto& [prefix, losses] :
       {std::pair{"", &results.own}, {kProjected, &results.projected}}) {
    const std::vector<double>& done = along_epochs(text(prefix, "done"));
    for (size_t e = 0; e < done.size(); ++e)
      if (done[e] != 0) losses->mark_done(static_cast<int64_t>(e));
  }
  return results;
}

}  // namespace topograd
