#include "landscape/exports/export_source.h"

#include "landscape/kinds/result_kind.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

ExportSource read_export_source(const std::string& path) {
  ExportSource source{path, Extent::other, load_record(path), {}, {}};
  if (source.record.kind == "trajectory") source.trajectory = trajectory_of(source.record);
  if (source.record.kind != "surface") return source;
  source.surface = surface_of(source.record);
  source.extent = source.surface->is_line() ? Extent::line : Extent::grid;
  return source;
}

}  // namespace topograd
