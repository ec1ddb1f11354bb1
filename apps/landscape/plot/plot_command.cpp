#include "apps/landscape/plot/plot_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "apps/landscape/common/figure_flags.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/plots/result_plots.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTypes[] = {"svg", "png", "pdf"};

/// The suffix of a figure's file, or nothing.
std::string type_of(const std::string& path) {
  for (const char* type : kTypes)
    if (path.ends_with(text(".", type))) return type;
  return "";
}

class Plot {
 public:
  explicit Plot(const cxxopts::ParseResult& flags) : flags_(flags) {
    require(flags.count("files") > 0,
            "name the results: landscape plot surface.h5; see landscape plot --help");
    files_ = flags["files"].as<std::vector<std::string>>();
    options_ = figure_flags(flags);
    titles_ = title_flag(flags, files_.size());
    for (const std::string& kind : cli::words(flags["kind"].as<std::string>()))
      kinds_.push_back(picture_kind_named(kind));
    types_ = cli::words(flags["type"].as<std::string>());
    for (const std::string& type : types_)
      require(!type_of("." + type).empty(), "unknown --type '", type, "': choose svg, png or pdf");
  }

  int run() {
    for (const std::string& file : files_) read(file);
    if (flags_.count("same-scale")) {
      std::vector<const Surface*> surfaces;
      for (const Input& input : inputs_)
        if (input.surface) surfaces.push_back(&*input.surface);
      share_scale(options_, surfaces);
    }
    std::vector<NamedFigure> pages;
    for (const NamedFigure& figure : figures()) {
      const auto page = std::find_if(pages.begin(), pages.end(),
                                     [&](const NamedFigure& p) { return p.name == figure.name; });
      if (page == pages.end()) pages.push_back({figure.name, {}});
      by_name_[figure.name].push_back(figure.figure);
    }
    const auto columns = static_cast<size_t>(cli::whole(flags_, "columns", 0, 100));
    for (NamedFigure& page : pages) page.figure = side_by_side(by_name_[page.name], columns);
    save(pages);
    return 0;
  }

 private:
  /// A surface of its own, or what another file has to draw.
  struct Input {
    Record record;
    std::optional<Surface> surface;
  };

  void read(const std::string& file) {
    Input input{load_record(file), std::nullopt};
    if (input.record.kind == "surface") input.surface = surface_of(input.record);
    inputs_.push_back(std::move(input));
  }

  std::vector<NamedFigure> figures() const {
    std::vector<NamedFigure> all;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      PictureOptions options = options_;
      options.title = titles_.empty() ? "" : titles_[titles_.size() > 1 ? i : 0];
      const Input& input = inputs_[i];
      const std::vector<NamedFigure> own =
          input.surface ? surface_figures(*input.surface, input.record.file, kinds_, options)
                        : result_figures(input.record, kinds_, options);
      require(!own.empty(), input.record.file, ": ", phrase_of(input.record.kind),
              " of which nothing can be drawn");
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

  void save(const std::vector<NamedFigure>& pages) const {
    const std::string output = cli::text_of(flags_, "output");
    if (!type_of(output).empty()) {
      require(pages.size() == 1, "--output ", output, " is one file for ", pages.size(),
              " figures: choose one with --kind, or a name without .", type_of(output));
      save_figure(pages.front().figure, output);
      std::cout << output << '\n';
      return;
    }
    const fs::path first = files_.front();
    const std::string stem =
        output.empty() ? (first.parent_path() / first.stem()).string() : output;
    for (const std::string& path : save_figures(pages, stem, types_)) std::cout << path << '\n';
  }

  const cxxopts::ParseResult& flags_;
  std::vector<std::string> files_, titles_, types_;
  std::vector<PictureKind> kinds_;
  PictureOptions options_;
  std::vector<Input> inputs_;
  std::map<std::string, std::vector<Figure>> by_name_;
};

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options plot_flags() {
  cxxopts::Options options("landscape plot",
                           "Draws results that are there: surfaces, lines, maps of the curvature, trajectories,\n"
                           "densities of eigenvalues, paths between networks, a training's log.csv. Several files\n"
                           "stand beside one another on a page.\n");
  options.positional_help("FILE...").show_positional_help().set_width(100);
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* text) { return cxxopts::value<std::string>()->default_value(text); };
  options.add_options()
      ("kind", "of a grid: contours, lines, heat, surface (lit, in three dimensions), with commas between them",
       value("contours,heat,surface"))
      ("output,o", "one figure's file (.svg, .png, .pdf), or what files' names begin with (default: the first input's)",
       string())
      ("type", "files to write where --output does not say", value("svg,png"))
      ("same-scale", "levels and colours of all surfaces on one scale")
      ("columns", "figures to a row; 0: all", value("0"))
      ("files", "results, as the arguments", cxxopts::value<std::vector<std::string>>());
  add_figure_flags(options);
  options.add_options()("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_plot(const cxxopts::ParseResult& flags) {
  return Plot(flags).run();
}

}  // namespace topograd
