#include "apps/plot_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>

#include "apps/result_figures.h"
#include "landscape/result_kind.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTypes[] = {"svg", "png", "pdf"};

std::vector<std::string> titles_in(const std::string& list) {
  std::vector<std::string> titles;
  std::istringstream in(list);
  for (std::string title; std::getline(in, title, ';');)
    titles.push_back(title.substr(std::min(title.find_first_not_of(' '), title.size())));
  return titles;
}

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
    options_ = picture_options(flags, std::nullopt);
    options_.look.colours = colour_map_named(flags["colours"].as<std::string>());
    options_.look.width = static_cast<int>(cli::whole(flags, "width", 400, 4000));
    options_.look.height = static_cast<int>(cli::whole(flags, "height", 300, 4000));
    options_.look.azimuth = cli::real(flags, "azimuth", -360, 360);
    options_.look.elevation = cli::real(flags, "elevation", 5, 90);
    options_.look.relief = cli::real(flags, "relief", 0.05, 3);
    options_.look.interpolate = flags.count("interpolate") > 0;
    options_.values = cli::text_of(flags, "values");
    titles_ = titles_in(cli::text_of(flags, "title"));
    require(titles_.size() <= 1 || titles_.size() == files_.size(), "--title has ", titles_.size(),
            " titles for ", files_.size(), " files: one each, with semicolons between them");
    for (const std::string& kind : cli::words(flags["kind"].as<std::string>()))
      kinds_.push_back(picture_kind_named(kind));
    types_ = cli::words(flags["type"].as<std::string>());
    for (const std::string& type : types_)
      require(!type_of("." + type).empty(), "unknown --type '", type, "': choose svg, png or pdf");
  }

  int run() {
    for (const std::string& file : files_) read(file);
    if (flags_.count("same-scale")) share_scale();
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
    std::string file;
    ResultKind kind;
    std::optional<Surface> surface;
  };

  void read(const std::string& file) {
    Input input{file, kind_of_result(file), std::nullopt};
    if (input.kind == ResultKind::surface) input.surface = Surface::load(file);
    inputs_.push_back(std::move(input));
  }

  /// One scale for all surfaces: from the smallest to the largest of their values.
  void share_scale() {
    double low = std::numeric_limits<double>::infinity(), high = -low, positive = low;
    for (const Input& input : inputs_) {
      if (!input.surface) continue;
      for (double v : input.surface->plane(pictured_values(*input.surface, options_))) {
        if (!std::isfinite(v)) continue;
        low = std::min(low, v), high = std::max(high, v);
        if (v > 0) positive = std::min(positive, v);
      }
    }
    require(low <= high, "--same-scale: there are no surfaces with values to share a scale");
    if (!options_.scale) options_.scale = low > 0 && high > 4 * low ? Scale::log : Scale::linear;
    if (!options_.value_min) options_.value_min = options_.scale == Scale::log ? positive : low;
    if (!options_.value_max) options_.value_max = high;
  }

  std::vector<NamedFigure> figures() const {
    std::vector<NamedFigure> all;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      PictureOptions options = options_;
      options.title = titles_.empty() ? "" : titles_[titles_.size() > 1 ? i : 0];
      const Input& input = inputs_[i];
      const std::vector<NamedFigure> own =
          input.surface ? surface_figures(*input.surface, input.file, kinds_, options)
                        : result_figures(input.file, input.kind, kinds_, options);
      require(!own.empty(), input.file, ": ", name_of(input.kind),
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
      ("values", "what to draw of a surface: train_loss, train_acc, lambda_ratio, ... (default: the loss)", string())
      ("output,o", "one figure's file (.svg, .png, .pdf), or what files' names begin with (default: the first input's)",
       string())
      ("type", "files to write where --output does not say", value("svg,png"))
      ("log", "logarithmic scale (default: as the range of the values asks for)")
      ("linear", "linear scale")
      ("vmin", "lowest value of the scale", string())
      ("vmax", "highest value of the scale; what is above is cut off and marked", string())
      ("same-scale", "levels and colours of all surfaces on one scale")
      ("colours", "viridis, magma or cividis", value("viridis"))
      ("interpolate", "heat maps: smooth between the points")
      ("azimuth", "of the camera, in degrees to the right", value("35"))
      ("elevation", "of the camera, 5 to 90 degrees", value("38"))
      ("relief", "height of the scale in three dimensions, in lengths of the longer side", value("0.55"))
      ("title", "of the figures, of several files with semicolons between them", string())
      ("width", "of a figure in px", value("700"))
      ("height", "at most", value("600"))
      ("columns", "figures to a row; 0: all", value("0"))
      ("files", "results, as the arguments", cxxopts::value<std::vector<std::string>>())
      ("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_plot(const cxxopts::ParseResult& flags) {
  return Plot(flags).run();
}

}  // namespace topograd
