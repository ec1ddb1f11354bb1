#include "apps/landscape/plot/plot_command.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "apps/common/cli.h"
#include "kernels/core/atomic_file.h"
#include "landscape/exports/csv.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/plots/result_plots.h"
#include "landscape/surface/surface_results.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

std::vector<PlotInput> read_all(const std::vector<std::string>& files) {
  std::vector<PlotInput> inputs;
  for (const std::string& file : files) {
    PlotInput input{load_record(file), std::nullopt};
    if (input.record.kind == "surface") input.surface = surface_of(input.record);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

bool is_grid(const PlotInput& input) {
  return input.surface && !input.surface->is_line();
}

/// Leaves out what folders hold beside grids, where --kind asks for figures of grids.
void keep_grids(std::vector<PlotInput>& inputs, const std::set<std::string>& named) {
  if (std::none_of(inputs.begin(), inputs.end(), is_grid)) return;
  const size_t left_out = std::erase_if(inputs, [&](const PlotInput& input) {
    return !is_grid(input) && !named.contains(input.record.file);
  });
  if (left_out > 0)
    cli::say("landscape plot: note: --kind draws grids: ", left_out,
             left_out == 1 ? " other result" : " other results", " of these folders left out");
}

/// Returns a page for each name, in order of appearance: its figures side by side.
std::vector<NamedFigure> pages_of(const std::vector<NamedFigure>& figures, size_t columns) {
  std::vector<NamedFigure> pages;
  std::map<std::string, std::vector<Figure>> by_name;
  for (const NamedFigure& figure : figures) {
    if (!by_name.contains(figure.name)) pages.push_back({figure.name, {}});
    by_name[figure.name].push_back(figure.figure);
  }
  for (NamedFigure& page : pages) page.figure = side_by_side(by_name[page.name], columns);
  return pages;
}

/// Returns the results' training logs where there are several, to be drawn together.
std::vector<Record> logs_of(const std::vector<PlotInput>& inputs) {
  std::vector<Record> logs;
  for (const PlotInput& input : inputs)
    if (input.record.kind == "training_log") logs.push_back(input.record);
  return logs.size() > 1 ? logs : std::vector<Record>();
}

std::string table_of(const FigureData& data) {
  Record record{.kind = "figure", .title = "", .table = {"row"}};
  for (const FigureData::Column& column : data.columns)
    record.add_series(column.name, "row", column.values);
  return csv_of(record, /*comments=*/false);
}

/// Returns the numbers of the figures, each set once, with the name of the first that shows it.
std::vector<std::pair<std::string, std::string>> tables_of(
    const std::vector<NamedFigure>& figures) {
  std::vector<std::pair<std::string, std::string>> tables;
  for (const NamedFigure& figure : figures) {
    const std::string csv = table_of(figure.figure.data);
    if (std::none_of(tables.begin(), tables.end(),
                     [&](const auto& table) { return table.second == csv; }))
      tables.emplace_back(figure.name, csv);
  }
  return tables;
}

}  // namespace

int PlotCommand::run(const std::string&) {
  const std::vector<NamedFigure> all = figures();
  save(pages_of(all, static_cast<size_t>(flags_.columns)));
  if (flags_.data_out) save_data(all);
  return 0;
}

std::vector<NamedFigure> PlotCommand::figures_of(const PlotInput& input,
                                                 const PictureOptions& options) const {
  const std::vector<NamedFigure> own =
      input.surface ? surface_figures(*input.surface, input.record.file, flags_.kinds, options)
                    : result_figures(input.record, flags_.kinds, options);
  require(!own.empty(), input.record.file, ": ", phrase_of(input.record),
          " of which nothing can be drawn");
  return own;
}

std::vector<NamedFigure> PlotCommand::figures() const {
  std::vector<PlotInput> inputs = read_all(flags_.files);
  for (const PlotInput& input : inputs)  // before anything is drawn, where that is known
    if (is_grid(input)) require_place_for(flags_.kinds.size());
  if (flags_.kinds_typed) keep_grids(inputs, flags_.named);
  const std::vector<std::string> titles = flags_.figure.titles_of(inputs.size());
  PictureOptions options = flags_.picture();
  if (flags_.same_scale) {
    std::vector<const Surface*> surfaces;
    for (const PlotInput& input : inputs)
      if (input.surface) surfaces.push_back(&*input.surface);
    share_scale(options, surfaces);
  }
  std::vector<NamedFigure> all;
  const bool style_has_titles = options.look.with_title;
  std::vector<Record> logs = logs_of(inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const PlotInput& input = inputs[i];
    options.title = titles[i];
    options.look.with_title = style_has_titles || !titles[i].empty();
    const bool one_of_logs = input.record.kind == "training_log" && logs_of(inputs).size() > 1;
    if (one_of_logs && logs.empty()) continue;  // drawn with the first of them
    try {
      const std::vector<NamedFigure> own = one_of_logs
                                               ? training_figures(std::exchange(logs, {}), options)
                                               : figures_of(input, options);
      all.insert(all.end(), own.begin(), own.end());
    } catch (const Error& error) {
      if (flags_.named.contains(input.record.file)) throw;
      cli::say("landscape plot: note: ", error.what(), ": it is left out");
    }
  }
  require(!all.empty(), "nothing can be drawn of what these folders hold");
  return all;
}

/// Throws Error where --output is one file, and there are more figures.
void PlotCommand::require_place_for(size_t figures) const {
  const std::string type = figure_type_of(flags_.output);
  require(type.empty() || figures == 1, "--output ", flags_.output, " is one file for ", figures,
          " figures: name one result, or those of one kind, and one --kind; or a name without .",
          type);
}

void PlotCommand::save(const std::vector<NamedFigure>& pages) const {
  const std::string& output = flags_.output;
  if (!figure_type_of(output).empty()) {
    require_place_for(pages.size());
    save_figure(pages.front().figure, output, flags_.page.file());
    cli::out() << output << '\n';
    return;
  }
  const fs::path first = flags_.files.front();
  const std::string stem = output.empty() ? (first.parent_path() / first.stem()).string() : output;
  for (const std::string& path : save_figures(pages, stem, flags_.types, flags_.page.file()))
    cli::out() << path << '\n';
}

void PlotCommand::save_data(const std::vector<NamedFigure>& figures) const {
  const auto tables = tables_of(figures);
  const std::string stem = flags_.data_out->substr(0, flags_.data_out->size() - 4);
  std::map<std::string, int> seen;
  for (const auto& [name, csv] : tables) {
    // The figures of several files have one name: a number tells them apart.
    const int again = ++seen[name];
    const std::string path = tables.size() == 1 ? *flags_.data_out
                             : again == 1       ? text(stem, "_", name, ".csv")
                                                : text(stem, "_", name, "_", again, ".csv");
    write_file_atomically(path, csv);
    cli::out() << path << '\n';
  }
}

}  // namespace topograd
