#include "apps/landscape/plot/plot_flags.h"

#include <algorithm>
#include <filesystem>

#include "apps/landscape/common/named_files.h"
#include "kernels/core/check.h"

namespace topograd {

void PlotFlags::add_to(cli::Options& options) {
  options
      .about(
          "Draws results that are there: surfaces, lines, maps of the curvature, trajectories, "
          "densities of eigenvalues, paths between networks, trainings' log.csv. Several files "
          "stand beside one another on a page, several trainings in one figure.")
      .positionals("FILE", files, "results of any command, a run's log.csv, or folders of them");
  options.group("Output")
      .value("kind", "KIND,...",
             "of a grid: contours, lines, heat, surface (lit, in three dimensions), slices (curves "
             "through the centre), with commas between them; of folders then grids alone",
             "contours,heat,surface",
             [this](const std::string&, const std::string& word) {
               kinds.clear();
               for (const std::string& kind : cli::Options::split(word))
                 kinds.push_back(picture_kind_named(kind));
             })
      .text(
          "output,o", output, "NAME",
          "one figure's file (.svg, .pdf, .png, .eps, .tex for LaTeX), or what files' names begin "
          "with (default: the first input's)")
      .words("type", types, "TYPE,...", "svg, pdf, png, eps, tex, where --output does not say")
      .file("data-out", data_out,
            "write the numbers behind the figure too, as csv; those of several figures that differ "
            "to FILE_<figure>.csv each")
      .integer("columns", columns, {0, 100}, "figures to a row; 0: all");
  page.add_to(options);
  figure.add_to(options);
  options.group("Values").flag("same-scale", same_scale,
                               "levels and colours of all surfaces on one scale");
  options.epilogue(R"(Examples:
  landscape plot surface.h5
  landscape plot resnet56.h5 noshort.h5 --kind surface --same-scale --output both.pdf
  landscape plot surface.h5 --style paper --kind contours --width 3.3in -o figure2.pdf
  landscape plot surface.h5 --style paper --kind heat --width 8.5cm -o figure3.tex
  landscape plot runs/a/log.csv runs/b/log.csv --data-out curves.csv
)");
}

void PlotFlags::check(const cli::Options& options) {
  kinds_typed = options.given("kind");
  require(!files.empty(), "name the results: landscape plot surface.h5; see landscape plot --help");
  named = {files.begin(), files.end()};
  files = cli::results_named(files, "plot");
  figure.check();
  for (const std::string& type : types) {
    const std::vector<std::string>& known = figure_types();
    require(std::find(known.begin(), known.end(), type) != known.end(), "unknown --type '", type,
            "': choose svg, pdf, png, eps or tex");
  }
  require(!figure_type_of(output).empty() || !types.empty(),
          "--type names nothing: choose svg, pdf, png, eps or tex");
  if (data_out) {
    require(data_out->ends_with(".csv"), "--data-out ", *data_out, ": end its name in .csv");
    for (const std::string& file : files)
      require(!std::filesystem::exists(*data_out) || !std::filesystem::exists(file) ||
                  !std::filesystem::equivalent(*data_out, file),
              "--data-out ", *data_out, " is one of the results: choose another name");
  }
}

PictureOptions PlotFlags::picture() const {
  PictureOptions picture = figure.picture();
  page.apply_to(picture.look);
  return picture;
}

}  // namespace topograd
