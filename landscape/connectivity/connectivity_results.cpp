#include "landscape/connectivity/connectivity_results.h"

#include <algorithm>
#include <limits>

#include "kernels/core/atomic_file.h"
#include "landscape/results/hdf5_file.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

const std::string kPaths = "paths/", kAlignment = "alignment/";

std::vector<std::string> members_of(const Hdf5File& file, const std::string& group) {
  return file.has(group) ? file.members(group) : std::vector<std::string>();
}

void write_path(Hdf5File& file, const std::string& in, const PathValues& path,
                const std::vector<double>& t) {
  const auto n = static_cast<int64_t>(path.done.size());
  file.write(in + "done", path.done.data(), {n});
  for (const auto& [name, values] : path.values) {
    file.write(in + name, values.data(), {n});
    if (!path.complete() || name.ends_with("_se")) continue;
    const Barrier barrier = barrier_of(t, path, name);
    file.write(in + name + "_barrier", &barrier.height, Shape{});
  }
}

PathValues read_path(const Hdf5File& file, const std::string& in, size_t points) {
  PathValues path;
  path.done = file.read<uint8_t>(in + "done");
  require(path.done.size() == points, file.path(), ": ", in, "done has ", path.done.size(),
          " values, expected ", points);
  for (const std::string& name : file.members(in)) {
    if (name == "done" || name.ends_with("_barrier")) continue;
    path.values[name] = file.read<double>(in + name);
    require(path.values[name].size() == points, file.path(), ": ", in, name, " has ",
            path.values[name].size(), " values, expected ", points);
  }
  return path;
}

}  // namespace

PathValues::PathValues(size_t points, const std::vector<std::string>& sets) : done(points, 0) {
  for (const std::string& set : sets)
    for (const char* quantity : {"_loss", "_loss_se", "_acc"})
      values[set + quantity].assign(points, std::numeric_limits<double>::quiet_NaN());
}

bool PathValues::complete() const {
  return std::all_of(done.begin(), done.end(), [](uint8_t d) { return d != 0; });
}

void PathValues::enter(size_t point, const ImageSets& images, const PointSums& sums) {
  const std::vector<std::string>& sets = images.names;
  for (size_t set = 0; set < sets.size(); ++set) {
    const LossSums& of_set = sums[set].front();
    values.at(sets[set] + "_loss")[point] = of_set.mean();
    values.at(sets[set] + "_loss_se")[point] = of_set.standard_error(images.population(set));
    values.at(sets[set] + "_acc")[point] = of_set.accuracy();
  }
  done[point] = 1;
}

void ConnectivityResults::save(const std::string& path) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write("t", t.data(), {static_cast<int64_t>(t.size())});
    for (const auto& [name, values] : paths) write_path(file, kPaths + name + "/", values, t);
    for (const auto& [name, value] : alignment) file.write(kAlignment + name, &value, Shape{});
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

ConnectivityResults ConnectivityResults::load(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  ConnectivityResults results;
  results.provenance = file.attributes();
  require(results.provenance.contains("to_model_hash") && file.has("t"), path,
          " is not a file of landscape connect");
  results.t = file.read<double>("t");
  for (const std::string& kind : members_of(file, "paths"))
    for (const std::string& bn : file.members(kPaths + kind))
      results.paths[kind + "/" + bn] =
          read_path(file, kPaths + kind + "/" + bn + "/", results.t.size());
  for (const std::string& name : members_of(file, "alignment"))
    results.alignment[name] = file.read<double>(kAlignment + name).at(0);
  return results;
}

Barrier barrier_of(const std::vector<double>& t, const PathValues& path, const std::string& name) {
  std::vector<double> values = path.values.at(name);
  if (name.ends_with("_acc"))
    for (double& value : values) value = -value;
  const std::optional<Barrier> barrier = barrier_between(t, values, 0, 1);
  require(barrier.has_value(), "a path's values are given from t = 0 to t = 1");
  return *barrier;
}

std::vector<std::string> complete_paths(const ConnectivityResults& results) {
  std::vector<std::string> keys;
  for (const char* kind : {"line/", "aligned/", "curve/"})
    for (const char* bn : {"states", "recompute", "none"}) {
      const auto found = results.paths.find(std::string(kind) + bn);
      if (found != results.paths.end() && found->second.complete()) keys.push_back(found->first);
    }
  return keys;
}

Record ConnectivityResults::record() const {
  Record record{"paths", title_of(provenance), provenance, {"t"}};
  record.add_series("t", "t", t);
  for (const auto& [key, path] : paths) {
    const std::string in = kPaths + key + "/";
    for (const auto& [name, values] : path.values) {
      NamedArray& series = record.add_series(in + name, "t", values);
      series.mask = in + "done";
      if (path.values.contains(name + "_se")) series.error = in + name + "_se";
      if (name.ends_with("_acc")) series.unit = "%";
    }
    record.add_mask(in + "done", {"t"}, {static_cast<int64_t>(path.done.size())}, path.done);
    if (!path.complete()) continue;
    for (const auto& [name, values] : path.values) {
      if (name.ends_with("_se")) continue;
      const Barrier barrier = barrier_of(t, path, name);
      record.add_number(in + name + "_barrier", barrier.height);
      record.add_number(in + name + "_barrier_at", barrier.at);
    }
  }
  for (const auto& [name, value] : alignment) record.add_number(kAlignment + name, value);
  return record;
}

ConnectivityResults connectivity_of(const Record& record) {
  require(record.kind == "paths", record.file, " is no record of paths");
  ConnectivityResults results;
  results.provenance = record.provenance;
  results.t = record.numbers("t");
  for (const NamedArray& array : record.arrays) {
    if (array.name.starts_with(kAlignment)) {
      results.alignment[array.name.substr(kAlignment.size())] = record.number(array.name);
    } else if (array.type == NamedArray::Type::mask && array.name.ends_with("/done")) {
      const size_t in = array.name.size() - std::string("done").size();
      PathValues& path = results.paths[array.name.substr(kPaths.size(), in - kPaths.size() - 1)];
      for (const double done : array.numbers) path.done.push_back(done != 0);
      for (const NamedArray& values : record.arrays)
        if (values.mask == array.name ||
            (values.name.ends_with("_se") && values.name.starts_with(array.name.substr(0, in))))
          path.values[values.name.substr(in)] = values.numbers;
    }
  }
  return results;
}

}  // namespace topograd
