#include "landscape/surface/surface_results.h"

#include "kernels/core/check.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

void add_planes(Record& record, const Surface& surface, const std::string& prefix,
                const std::vector<std::string>& axes) {
  const Shape shape = surface.is_line() ? Shape{surface.nx()} : Shape{surface.ny(), surface.nx()};
  const char* const error = record.provenance.contains("seeds") ? "_sd" : "_se";
  for (const auto& [name, values] : surface.planes())
    record.add({.name = prefix + name,
                .shape = shape,
                .numbers = values,
                .axes = axes,
                .unit = name.ends_with("_acc") ? "%" : "",
                .error = surface.has_plane(name + error) ? prefix + name + error : "",
                .mask = prefix + "done"});
  std::vector<uint8_t> done;
  for (int64_t i = 0; i < surface.points(); ++i) done.push_back(surface.done(i));
  record.add_mask(prefix + "done", axes, shape, done);
}

}  // namespace

Record record_of(const Surface& surface) {
  const std::vector<std::string> axes =
      surface.is_line() ? std::vector<std::string>{"x"} : std::vector<std::string>{"y", "x"};
  Record record{"surface", title_of(surface.provenance), surface.provenance, axes};
  if (!surface.dir_file.empty()) record.provenance["dir_file"] = surface.dir_file;
  record.add_series("x", "x", surface.x());
  if (!surface.is_line()) record.add_series("y", "y", surface.y());
  add_planes(record, surface, "", axes);
  return record;
}

Surface surface_of(const Record& record) {
  const std::vector<double>* y = record.coordinates("y");
  Surface surface(record.numbers("x"), y ? *y : std::vector<double>());
  surface.provenance = record.provenance;
  surface.dir_file = value_of(record.provenance, "dir_file");
  surface.provenance.erase("dir_file");
  for (const NamedArray* array : record.over(record.table)) {
    if (array->is_axis() || array->type == NamedArray::Type::text) continue;
    require(array->shape.size() == surface.points(), array->name, " is ", array->shape,
            ", which is no plane of the surface");
    if (array->type == NamedArray::Type::real) {
      surface.add_plane(array->name) = array->numbers;
      continue;
    }
    for (int64_t i = 0; i < surface.points(); ++i)
      if (array->numbers[static_cast<size_t>(i)] != 0) surface.mark_done(i);
  }
  return surface;
}

void add_planes_to(Record& record, const Surface& line, const std::string& prefix,
                   const std::string& axis) {
  add_planes(record, line, prefix, {axis});
}

}  // namespace topograd
