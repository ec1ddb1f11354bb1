#include "apps/landscape/export/export_command.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/cli.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/format.h"
#include "landscape/exports/authors_hdf5.h"
#include "landscape/exports/csv.h"
#include "landscape/exports/npz.h"
#include "landscape/exports/obj.h"
#include "landscape/exports/stl.h"
#include "landscape/exports/vtk.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/results/record_json.h"

namespace topograd {

namespace {

/// Throws Error where a surface, or a trajectory's points, have no such heights.
void check_heights(const ExportSource& source, const HeightOptions& options) {
  if (source.surface) {
    height_field(*source.surface, options);
    return;
  }
  const Surface& losses = source.trajectory->projected;
  const std::string plane = height_plane(losses, options);
  heights_of(losses.plane(plane), options, plane);
}

/// Throws Error, before anything is written, for every export that is known to fail.
void require_possible(const ExportTarget& target, const ExportFlags& settings) {
  try {
    if (has_heights(target.format)) check_heights(*target.source, settings.heights);
    if (target.format == ExportFormat::vti || target.format == ExportFormat::vtr)
      height_plane(with_ascending_axes(*target.source->surface), {});
    if (target.format == ExportFormat::vti) {
      const Surface surface = with_ascending_axes(*target.source->surface);
      require(is_even(surface.x()) && is_even(surface.y()),
              "its points are not evenly spaced, which vti cannot say: choose vtr");
    }
    if (target.format == ExportFormat::h5) require_authors_planes(*target.source->surface);
  } catch (const Error& error) {
    fail(target.source->path, ": ", error.what());
  }
}

std::vector<std::string> obj_comments(const ExportSource& source) {
  std::vector<std::string> comments = {"Topograd, of " + source.path};
  for (const auto& [key, value] : source.record.provenance) comments.push_back(key + ": " + value);
  return comments;
}

std::string contents_of(const ExportTarget& target, const ExportFlags& settings) {
  const ExportSource& source = *target.source;
  switch (target.format) {
    case ExportFormat::vti:
      return vtk_image(*source.surface);
    case ExportFormat::vtr:
      return vtk_rectilinear(*source.surface);
    case ExportFormat::vtp:
      return source.surface ? vtk_surface(*source.surface, settings.heights, settings.vtp_height)
                            : vtk_trajectory(*source.trajectory, settings.heights);
    case ExportFormat::npz:
      return npz_of(source.record);
    case ExportFormat::json:
      return json_of(source.record);
    case ExportFormat::csv:
      return csv_of(source.record, settings.comments);
    case ExportFormat::obj:
      return obj_of(height_field(*source.surface, settings.heights), settings.size,
                    obj_comments(source));
    case ExportFormat::stl:
      return stl_of(height_field(*source.surface, settings.heights), settings.size);
    case ExportFormat::h5:
      break;
  }
  fail("no such format in memory");
}

/// Returns "51 x 51 points".
std::string extent_text(const ExportSource& source) {
  if (source.surface && !source.surface->is_line())
    return text(source.surface->nx(), " x ", source.surface->ny(), " points");
  if (source.surface) return text(source.surface->nx(), " points");
  return phrase_of(source.record);
}

/// Describes the heights: "; height train_loss from 0.1 to 3; 2 points without a finite value ..."
std::string heights_text(const ExportTarget& target, const ExportFlags& settings) {
  if (!has_heights(target.format) || !target.source->surface) return "";
  const HeightField field = height_field(*target.source->surface, settings.heights);
  std::string shown = text("; height is ", field.name, " from ", significant(field.low), " to ",
                           significant(field.high));
  if (target.format == ExportFormat::stl) {
    const HeightField model = scaled_to(field, settings.size);
    shown += text("; ", significant(model.x.back()), " x ", significant(model.y.back()), " x ",
                  significant(model.high + settings.size.base), " mm");
  }
  if (field.missing > 0)
    shown += text("; ", field.missing, field.missing == 1 ? " point" : " points",
                  " without a finite value ",
                  target.format == ExportFormat::stl ? "at the top" : "left out");
  return shown;
}

void write(const ExportTarget& target, const ExportFlags& settings) {
  if (target.format == ExportFormat::h5)
    write_authors_hdf5(*target.source->surface, target.path);
  else
    write_file_atomically(target.path, contents_of(target, settings));
  cli::out() << target.path << ": " << extent_text(*target.source) << heights_text(target, settings)
             << (target.instead ? "; vtr in place of vti: its points are not evenly spaced" : "")
             << '\n';
}

}  // namespace

void ExportCommand::check(const cli::Options& options) {
  flags_.check(options);
  sources_.clear();
  for (const std::string& file : flags_.files) sources_.push_back(read_export_source(file));
  targets_ = plan_exports(sources_, flags_.formats, flags_.output);
  flags_.require_heeded(options, targets_);
}

int ExportCommand::run(const std::string&) {
  for (const ExportTarget& target : targets_) require_possible(target, flags_);
  if (names_folder(flags_.output, !flags_.formats.empty(), sources_.size()))
    cli::make_folder(flags_.output);
  for (const ExportTarget& target : targets_) write(target, flags_);
  return 0;
}

}  // namespace topograd
