#include "landscape/directions/direction_file.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/atomic_file.h"
#include "landscape/results/hdf5_file.h"

namespace topograd {

namespace {

const std::vector<ParameterEntry>& entries_of(const ParameterLayout& layout, DirectionType type) {
  return type == DirectionType::weights ? layout.parameters() : layout.state_dict();
}

/// Returns the elements of an entry in a direction.
float* elements(const Direction& direction, const ParameterEntry& entry) {
  const Tensor& vector = is_state(entry.kind) ? direction.running_stats : direction.parameters;
  return vector.data<float>() + entry.offset;
}

void check_direction(const ParameterLayout& layout, DirectionType type,
                     const Direction& direction) {
  require(direction.parameters.size() == layout.parameter_count(), "a direction of ",
          direction.parameters.size(), " parameters does not fit a model of ",
          layout.parameter_count());
  require(type == DirectionType::weights || direction.running_stats.size() == layout.state_count(),
          "a direction file of states needs the running statistics in each direction");
}

void write_direction(Hdf5File& file, const std::string& group, const ParameterLayout& layout,
                     DirectionType type, const Direction& direction) {
  std::vector<float> values;
  int64_t number = 0;
  for (const ParameterEntry& entry : entries_of(layout, type)) {
    values.resize(static_cast<size_t>(entry.size()));
    to_torch_order(entry, elements(direction, entry), values.data());
    file.write(text(group, "/", number++), values.data(), entry.torch_shape());
  }
}

/// Returns whether the file has entries for PyTorch's num_batches_tracked, one per BatchNorm.
/// Throws Error if the number of entries fits neither with them nor without.
bool has_batch_counters(const Hdf5File& file, const std::string& group,
                        const std::vector<ParameterEntry>& entries, DirectionType type) {
  const auto held = static_cast<int64_t>(file.members(group).size());
  const auto expected = static_cast<int64_t>(entries.size());
  const int64_t counters = std::count_if(
      entries.begin(), entries.end(),
      [](const ParameterEntry& entry) { return entry.kind == ParameterKind::bn_variance; });
  if (held == expected) return false;
  require(held == expected + counters, file.path(), " holds ", held, " tensors in ", group,
          ", the model has ", expected, " (", name_of(type),
          "): it was made for another network or another type of direction");
  return true;
}

void read_tensor(const Hdf5File& file, const std::string& name, const ParameterEntry& entry,
                 float* out) {
  const Shape shape = file.shape(name);
  require(shape == entry.torch_shape(), file.path(), ": ", name, " has the shape ", shape, ", ",
          entry.name, " has ", entry.torch_shape(), ": the file was made for another network");
  const std::vector<float> values = file.read<float>(name);
  require(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
          file.path(), ": ", name, " (", entry.name, ") holds a value that is not finite");
  from_torch_order(entry, values.data(), out);
}

Direction read_direction(const Hdf5File& file, const std::string& group,
                         const ParameterLayout& layout, DirectionType type) {
  const std::vector<ParameterEntry>& entries = entries_of(layout, type);
  const bool counters = has_batch_counters(file, group, entries, type);
  Direction direction{.parameters = Tensor({layout.parameter_count()}), .running_stats = {}};
  if (type == DirectionType::states) direction.running_stats = Tensor({layout.state_count()});
  int64_t number = 0;
  for (const ParameterEntry& entry : entries) {
    const std::string name = text(group, "/", number++);
    require(file.has(name), file.path(), " holds no ", name, ": the file is not complete");
    read_tensor(file, name, entry, elements(direction, entry));
    if (counters && entry.kind == ParameterKind::bn_variance) ++number;
  }
  return direction;
}

}  // namespace

void write_directions(const std::string& path, const ParameterLayout& layout, DirectionType type,
                      const Direction& x, const std::optional<Direction>& y,
                      const Provenance& provenance, const DirectionNumbers& numbers) {
  check_direction(layout, type, x);
  if (y) check_direction(layout, type, *y);
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    write_direction(file, "xdirection", layout, type, x);
    if (y) write_direction(file, "ydirection", layout, type, *y);
    for (const auto& [name, values] : numbers)
      file.write(name, values.data(), {static_cast<int64_t>(values.size())});
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

Directions read_directions(const std::string& path, const ParameterLayout& layout,
                           DirectionType type) {
  const Hdf5File file = Hdf5File::open_read(path);
  require(file.has("xdirection"), path, " holds no xdirection: it is not a direction file");
  Directions directions{.x = read_direction(file, "xdirection", layout, type), .y = {}};
  if (file.has("ydirection")) directions.y = read_direction(file, "ydirection", layout, type);
  return directions;
}

}  // namespace topograd
