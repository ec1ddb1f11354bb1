#include "apps/landscape/common/surface_map_flags.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/table.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "landscape/figures/figure.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::string axis_label(const Surface& map, const std::string& letter, const std::string& axis) {
  return text(letter, " (", value_of(map.provenance, axis + "_direction"), ")");
}

}  // namespace

void SurfaceMapFlags::add_to(cli::Options& options) {
  options.group("Over a surface")
      .file("over", over,
            "at every point of this surface, which landscape surface, line or plane computed")
      .file("dir-file", dir_file, "the surface's directions, where they cannot be found again")
      .real("save-seconds", save_seconds, {0, 1e9}, "save no more often than this")
      .flag("no-pictures", no_pictures, "write the HDF5 file alone");
}

void print_ranges(const Surface& map) {
  std::vector<std::vector<std::string>> table = {{"", "smallest", "median", "largest"}};
  for (const auto& [name, all] : map.planes()) {
    std::vector<double> values;
    for (const double value : all)
      if (std::isfinite(value)) values.push_back(value);
    std::sort(values.begin(), values.end());
    if (values.empty()) continue;
    table.push_back({name, significant(values.front()), significant(values[values.size() / 2]),
                     significant(values.back())});
  }
  print_table(table);
}

bool can_draw_map(const Surface& map) {
  if (can_be_drawn(map)) return true;
  cli::say("landscape: note: no pictures: they need two points along each axis");
  return false;
}

void draw_map(const Surface& map, const std::string& output, const std::string& plane,
              const std::string& label, const std::string& suffix, const std::string& subtitle) {
  FigureOptions figure;
  figure.title = title_of(map.provenance);
  figure.subtitle = subtitle;
  figure.x_label = axis_label(map, "alpha", "x");
  figure.y_label = map.is_line() ? label : axis_label(map, "beta", "y");
  figure.value_label = label;
  figure.scale = usual_scale(map.plane(plane));
  figure.footer = text("model ", map.provenance.at("model_hash"), "  directions ",
                       map.provenance.at("direction_hash"), "  Topograd ", version());
  const std::string stem =
      (fs::path(output).parent_path() / fs::path(output).stem()).string() + "_" + suffix;
  for (const char* type : {".svg", ".png"}) {
    if (map.is_line()) {
      const Series series{
          .name = label, .values = map.plane(plane), .style = Series::Style::coloured};
      save_figure(curve_figure({.x = map.x(), .series = {series}}, figure), stem + type);
    } else {
      save_figure(heat_map_figure({map.x(), map.y(), map.plane(plane)}, figure), stem + type);
    }
    cli::out() << stem << type << '\n';
  }
}

}  // namespace topograd
