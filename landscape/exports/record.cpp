#include "landscape/exports/record.h"

#include <utility>

#include "landscape/results/hdf5_file.h"

namespace topograd {

namespace {

using Type = NamedArray::Type;

void read_group(const Hdf5File& file, const std::string& group, std::vector<NamedArray>& arrays) {
  for (const std::string& member : file.members(group.empty() ? "/" : group)) {
    const std::string name = group.empty() ? member : text(group, "/", member);
    if (member == "vectors") continue;  // of the network's length: the HDF5 file is their place
    if (file.is_group(name)) {
      read_group(file, name, arrays);
    } else if (file.is_numeric(name)) {
      arrays.push_back(real_array(name, file.shape(name), file.read<double>(name)));
      if (member == "done" || member.ends_with("_done")) arrays.back().type = Type::mask;
    } else {
      arrays.push_back({name, Type::text, {}, {}, {file.read_text(name)}});
    }
  }
}

std::vector<double> mask_of(const Surface& surface) {
  std::vector<double> mask;
  for (int64_t i = 0; i < surface.points(); ++i) mask.push_back(surface.done(i));
  return mask;
}

std::vector<NamedArray> columns_of(const Surface& surface) {
  std::vector<double> x, y;
  for (int64_t iy = 0; iy < surface.ny(); ++iy)
    for (int64_t ix = 0; ix < surface.nx(); ++ix) {
      x.push_back(surface.x()[static_cast<size_t>(ix)]);
      if (!surface.is_line()) y.push_back(surface.y()[static_cast<size_t>(iy)]);
    }
  std::vector<NamedArray> columns = {real_column("x", x)};
  if (!surface.is_line()) columns.push_back(real_column("y", y));
  for (const auto& [name, values] : surface.planes()) columns.push_back(real_column(name, values));
  columns.push_back(real_column("done", mask_of(surface)));
  columns.back().type = Type::mask;
  return columns;
}

}  // namespace

NamedArray real_array(std::string name, Shape shape, std::vector<double> numbers) {
  return {std::move(name), Type::real, shape, std::move(numbers), {}};
}

NamedArray real_column(std::string name, std::vector<double> numbers) {
  const Shape shape{static_cast<int64_t>(numbers.size())};
  return real_array(std::move(name), shape, std::move(numbers));
}

NamedArray text_column(std::string name, std::vector<std::string> words) {
  const Shape shape{static_cast<int64_t>(words.size())};
  return {std::move(name), Type::text, shape, {}, std::move(words)};
}

Record record_of(const Surface& surface) {
  const Shape shape = surface.is_line() ? Shape{surface.nx()} : Shape{surface.ny(), surface.nx()};
  Record record{"surface", surface.provenance, {real_column("x", surface.x())}, {}, {}};
  if (!surface.is_line()) record.arrays.push_back(real_column("y", surface.y()));
  record.arrays.push_back(real_array("done", shape, mask_of(surface)));
  record.arrays.back().type = Type::mask;
  for (const auto& [name, values] : surface.planes()) {
    require(name != "x" && name != "y" && name != "kind" && name != "provenance",
            "the surface has a plane '", name,
            "', which npz, json and csv keep for something else");
    record.planes.push_back(real_array(name, shape, values));
  }
  record.columns = columns_of(surface);
  if (!surface.dir_file.empty()) record.provenance["dir_file"] = surface.dir_file;
  return record;
}

Record record_of_hdf5(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  Record record;
  record.provenance = file.attributes();
  read_group(file, "", record.arrays);
  return record;
}

}  // namespace topograd
