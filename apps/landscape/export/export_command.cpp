#include "apps/landscape/export/export_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "apps/common/table.h"
#include "apps/landscape/export/export_targets.h"
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

using Options = cxxopts::Options;
using Formats = std::vector<ExportFormat>;

struct ExportSettings {
  HeightOptions heights;
  ModelSize size;
  std::optional<double> vtp_height;
  bool comments = false;
};

Formats formats_in(const cxxopts::ParseResult& flags) {
  Formats formats;
  for (const std::string& word : cli::words(cli::text_of(flags, "format"))) {
    formats.push_back(format_named(word));
    require(std::count(formats.begin(), formats.end(), formats.back()) == 1, "--format has ", word,
            " twice");
  }
  return formats;
}

ExportSettings settings_in(const cxxopts::ParseResult& flags) {
  constexpr double kSmall = 1e-3, kLarge = 1e6;  // of sizes
  ExportSettings settings;
  settings.heights.plane = cli::text_of(flags, "plane");
  settings.heights.log = flags.count("log") != 0;
  if (flags.count("vmax")) settings.heights.vmax = cli::real(flags, "vmax", -1e300, 1e300);
  settings.size = {.width = cli::real(flags, "width", kSmall, kLarge),
                   .height = cli::real(flags, "height", kSmall, kLarge),
                   .base = cli::real(flags, "base", kSmall, kLarge)};
  if (flags.count("height")) settings.vtp_height = settings.size.height;
  settings.comments = flags.count("comments") != 0;
  return settings;
}

struct FormatFlag {
  const char* name;
  Formats formats;  // that heed it
  bool of_trajectories = true;
};

bool heeds(const ExportTarget& target, const FormatFlag& flag) {
  return std::count(flag.formats.begin(), flag.formats.end(), target.format) > 0 &&
         (flag.of_trajectories || target.source->surface);
}

/// A flag that no file would heed is an Error.
void require_heeded(const cxxopts::ParseResult& flags, const std::vector<ExportTarget>& targets) {
  using enum ExportFormat;
  const FormatFlag kFlags[] = {{"plane", {vtp, obj, stl}}, {"log", {vtp, obj, stl}},
                               {"vmax", {vtp, obj, stl}},  {"height", {vtp, obj, stl}, false},
                               {"width", {obj, stl}},      {"base", {stl}},
                               {"comments", {csv}}};
  for (const FormatFlag& flag : kFlags) {
    if (flags.count(flag.name) == 0) continue;
    std::string names;
    for (ExportFormat format : flag.formats)
      names += text(names.empty() ? "" : ", ", name_of(format));
    const bool heeded =
        std::any_of(targets.begin(), targets.end(),
                    [&](const ExportTarget& target) { return heeds(target, flag); });
    require(heeded, "--", flag.name, " is of ", names, flag.of_trajectories ? "" : " of surfaces",
            " alone");
  }
}

/// The heights of a surface or of a trajectory's points; an Error where there are none.
void check_heights(const ExportSource& source, const HeightOptions& options) {
  if (source.surface) {
    height_field(*source.surface, options);
    return;
  }
  const Surface& losses = source.trajectory->projected;
  const std::string plane = height_plane(losses, options);
  heights_of(losses.plane(plane), options, plane);
}

/// What can be known to fail before anything is written.
void check(const ExportTarget& target, const ExportSettings& settings) {
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

std::string contents_of(const ExportTarget& target, const ExportSettings& settings) {
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

/// "51 x 51 points"
std::string extent_text(const ExportSource& source) {
  if (source.surface && !source.surface->is_line())
    return text(source.surface->nx(), " x ", source.surface->ny(), " points");
  if (source.surface) return text(source.surface->nx(), " points");
  return phrase_of(source.record.kind);
}

/// What became of heights: "; height train_loss from 0.1 to 3; 2 points without a finite value ..."
std::string heights_text(const ExportTarget& target, const ExportSettings& settings) {
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

void write(const ExportTarget& target, const ExportSettings& settings) {
  if (target.format == ExportFormat::h5)
    write_authors_hdf5(*target.source->surface, target.path);
  else
    write_file_atomically(target.path, contents_of(target, settings));
  std::cout << target.path << ": " << extent_text(*target.source) << heights_text(target, settings)
            << (target.instead ? "; vtr in place of vti: its points are not evenly spaced" : "")
            << '\n';
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options export_flags() {
  const auto string = [] { return cxxopts::value<std::string>(); };
  Options options(
      "landscape export",
      "Results in the formats of other tools, beside each file or where --output says.\n\n"
      "  npz, json, csv   NumPy, web pages, tables: any result (log.csv is csv already)\n"
      "  vti, vtr, vtp    ParaView, VisIt, PyVista: a surface as an image or as a mesh (vtr: points\n"
      "                   that are not evenly spaced); of a trajectory vtp, its path\n"
      "  obj, stl         Blender; 3D printing, a watertight solid: a surface\n"
      "  h5               the layout of the paper's authors and nothing else: a surface or a line\n\n"
      "Surfaces of the authors' tools are read like our own. docs/files.md describes every format.\n");
  options.positional_help("FILE...").set_width(100);
  options.add_options()
      ("files", "results: HDF5 files of landscape or of the authors' tools, a run's log.csv", cxxopts::value<std::vector<std::string>>())
      ("format", "which, with commas between: vti, vtr, vtp, npz, json, csv, obj, stl, h5", string())
      ("output", "a file, whose suffix is the format, or a folder, which is made", string())
      ("plane,surf-name", "vtp, obj, stl: the height (or --surf-name; default: train_loss, or the first)", string())
      ("log", "vtp, obj, stl: the height's decimal logarithm")
      ("vmax,zmax", "vtp, obj, stl: larger values count as this one (or --zmax)", string())
      ("height", "vtp, obj, stl: from the lowest point to the highest (default of vtp: the values themselves)", string()->default_value("40"))
      ("width", "obj, stl: the longer side, in mm", string()->default_value("100"))
      ("base", "stl: thickness under the lowest point, in mm", string()->default_value("4"))
      ("comments", "csv: the provenance first, in lines that begin with #")
      ("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_export(const cxxopts::ParseResult& flags) {
  const auto files = flags.count("files") ? flags["files"].as<std::vector<std::string>>()
                                          : std::vector<std::string>();
  require(!files.empty(), "nothing to export: write landscape export FILE... --format vtp,npz");
  const Formats formats = formats_in(flags);
  const ExportSettings settings = settings_in(flags);
  const std::string output = cli::text_of(flags, "output");
  std::vector<ExportSource> sources;
  for (const std::string& file : files) sources.push_back(read_export_source(file));
  const std::vector<ExportTarget> targets = plan_exports(sources, formats, output);
  require_heeded(flags, targets);
  for (const ExportTarget& target : targets) check(target, settings);
  if (names_folder(output, !formats.empty(), sources.size())) cli::make_folder(output);
  for (const ExportTarget& target : targets) write(target, settings);
  return 0;
}

}  // namespace topograd
