#include "apps/landscape/plot/plot_flags.h"

#include "apps/landscape/common/named_files.h"
#include "kernels/core/check.h"

namespace topograd {

std::string figure_type_of(const std::string& path) {
  for (const char* type : {"svg", "png", "pdf"})
    if (path.ends_with(text(".", type))) return type;
  return "";
}

void PlotFlags::add_to(cli::Options& options) {
  options
      .about(
          "Draws results that are there: surfaces, lines, maps of the curvature, trajectories, "
          "densities of eigenvalues, paths between networks, a training's log.csv. Several files "
          "stand beside one another on a page.")
      .positionals("FILE", files, "results of any command, a run's log.csv, or folders of them");
  options.group("Output")
      .value("kind", "KIND,...",
             "of a grid: contours, lines, heat, surface (lit, in three dimensions), with commas "
             "between them",
             "contours,heat,surface",
             [this](const std::string&, const std::string& word) {
               kinds.clear();
               for (const std::string& kind : cli::Options::split(word))
                 kinds.push_back(picture_kind_named(kind));
             })
      .text("output,o", output, "NAME",
            "one figure's file (.svg, .png, .pdf), or what files' names begin with (default: the "
            "first input's)")
      .words("type", types, "TYPE,...", "svg, png, pdf, where --output does not say")
      .integer("columns", columns, {0, 100}, "figures to a row; 0: all");
  figure.add_to(options);
  options.group("Values").flag("same-scale", same_scale,
                               "levels and colours of all surfaces on one scale");
  options.epilogue(R"(Examples:
  landscape plot surface.h5
  landscape plot resnet56.h5 noshort.h5 --kind surface --same-scale --output both.pdf
  landscape plot runs/resnet20/log.csv --type pdf
)");
}

void PlotFlags::check() {
  require(!files.empty(), "name the results: landscape plot surface.h5; see landscape plot --help");
  named = {files.begin(), files.end()};
  files = cli::results_named(files, "plot");
  figure.check();
  for (const std::string& type : types)
    require(!figure_type_of("." + type).empty(), "unknown --type '", type,
            "': choose svg, png or pdf");
  require(!types.empty() || !figure_type_of(output).empty(),
          "--type names nothing: choose svg, png or pdf");
}

}  // namespace topograd
