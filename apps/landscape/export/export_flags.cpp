#include "apps/landscape/export/export_flags.h"

#include <algorithm>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr double kSmall = 1e-3, kLarge = 1e6;  // bounds of sizes

struct FormatOption {
  const char* name;
  std::vector<ExportFormat> formats;  // on which it has an effect
  bool of_trajectories = true;
};

bool heeds(const ExportTarget& target, const FormatOption& option) {
  return std::count(option.formats.begin(), option.formats.end(), target.format) > 0 &&
         (option.of_trajectories || target.source->surface);
}

}  // namespace

void ExportFlags::add_to(cli::Options& options) {
  options
      .about(
          "Results in the formats of other tools, beside each file or where --output says.\n\n"
          "  npz, json, csv   NumPy, web pages, tables: any result (log.csv is csv already)\n"
          "  vti, vtr, vtp    ParaView, VisIt, PyVista: a surface as an image or as a mesh (vtr: "
          "points\n"
          "                   that are not evenly spaced); of a trajectory vtp, its path\n"
          "  obj, stl         Blender; 3D printing, a watertight solid: a surface\n"
          "  h5               the layout of the paper's authors and nothing else: a surface or a "
          "line\n\n"
          "Surfaces of the authors' tools are read like our own. docs/files.md describes every "
          "format.")
      .positionals("FILE", files,
                   "HDF5 files of landscape or of the authors' tools, a run's log.csv");
  options.group("Output")
      .words("format", format_names, "FORMAT,...",
             "which, with commas between: vti, vtr, vtp, npz, json, csv, obj, stl, h5")
      .text("output,o", output, "NAME",
            "a file, whose suffix is the format, or a folder, which is made")
      .flag("comments", comments, "csv: the provenance first, in lines that begin with #");
  options.group("Heights (vtp, obj, stl)")
      .text("values,plane,surf-name", heights.plane, "NAME",
            "values that are the height (default: train_loss, or the first)")
      .flag("log", heights.log, "their decimal logarithm")
      .real("vmax,zmax", heights.vmax, {-1e300, 1e300}, "larger values count as this one")
      .real("height", size.height, {kSmall, kLarge},
            "from the lowest point to the highest, in mm (vtp: the values themselves, where it is "
            "not given)")
      .real("width", size.width, {kSmall, kLarge}, "obj, stl: the longer side, in mm")
      .real("base", size.base, {kSmall, kLarge}, "stl: thickness under the lowest point, in mm");
  options.epilogue(R"(Examples:
  landscape export surface.h5 --format vtp,npz
  landscape export surface.h5 --output relief.stl --log --width 80
  landscape export *.h5 --format csv --output tables/
)");
}

void ExportFlags::check(const cli::Options& options) {
  require(!files.empty(), "nothing to export: write landscape export FILE... --format vtp,npz");
  formats.clear();
  for (const std::string& word : format_names) {
    formats.push_back(format_named(word));
    require(std::count(formats.begin(), formats.end(), formats.back()) == 1, "--format has ", word,
            " twice");
  }
  if (options.given("height")) vtp_height = size.height;
}

void ExportFlags::require_heeded(const cli::Options& options,
                                 const std::vector<ExportTarget>& targets) const {
  using enum ExportFormat;
  const FormatOption kOptions[] = {{"values", {vtp, obj, stl}}, {"log", {vtp, obj, stl}},
                                   {"vmax", {vtp, obj, stl}},   {"height", {vtp, obj, stl}, false},
                                   {"width", {obj, stl}},       {"base", {stl}},
                                   {"comments", {csv}}};
  for (const FormatOption& option : kOptions) {
    if (!options.given(option.name)) continue;
    std::string names;
    for (ExportFormat format : option.formats)
      names += text(names.empty() ? "" : ", ", name_of(format));
    const bool heeded =
        std::any_of(targets.begin(), targets.end(),
                    [&](const ExportTarget& target) { return heeds(target, option); });
    require(heeded, "--", option.name, " is of ", names,
            option.of_trajectories ? "" : " of surfaces", " alone");
  }
}

}  // namespace topograd
