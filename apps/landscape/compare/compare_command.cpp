#include "apps/landscape/compare/compare_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "apps/common/console.h"
#include "apps/common/table.h"
#include "kernels/core/format.h"
#include "landscape/kinds/result_folder.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/results/record_comparison.h"

namespace topograd {

namespace {

constexpr size_t kFew = 3;  // results that are compared quantity by quantity

/// Returns the number as text; "-" if it is not finite.
std::string number_or_dash(double value) {
  return std::isfinite(value) ? significant(value) : "-";
}

/// Returns the axes of the record's table: "x from -1 to 1 in 51 points, y from -1 to 1 in 51".
std::string extent(const Record& record) {
  std::string shown;
  for (auto axis = record.table.rbegin(); axis != record.table.rend(); ++axis) {
    const std::vector<double>* at = record.coordinates(*axis);
    if (!at || at->empty()) continue;
    shown += text(shown.empty() ? "" : ", ", *axis, " from ", at->front(), " to ", at->back(),
                  " in ", at->size(), shown.empty() ? " points" : "");
  }
  return shown.empty() ? phrase_of(record) : shown;
}

/// Returns where a point of an array lies: "0.5", "(0.5, -1)"; "-" for a single number.
std::string position(const Record& record, const std::string& name, int64_t point) {
  const NamedArray& array = *record.find(name);
  if (point < 0 || array.axes.empty()) return "-";
  std::string shown;
  for (int i = array.shape.rank() - 1; i >= 0; --i) {
    const int64_t index = point % array.shape[i];
    point /= array.shape[i];
    const std::vector<double>* at = record.coordinates(array.axes[static_cast<size_t>(i)]);
    shown += (shown.empty() ? "" : ", ") +
             (at ? number_or_dash((*at)[static_cast<size_t>(index)]) : text(index + 1));
  }
  return array.shape.rank() > 1 ? "(" + shown + ")" : shown;
}

std::string value_of(const LargestDifference& difference) {
  return difference.point < 0 ? "-" : number_or_dash(difference.value);
}

void print_quantities(const Record& a, const std::vector<ArrayComparison>& comparisons) {
  std::vector<std::vector<std::string>> values = {
      {"values", "min", "min", "max", "max", "mean", "mean", "correlation"}};
  std::vector<std::vector<std::string>> differences = {
      {"largest difference", "", "at", "relative", "at", "in errors", "at"}};
  for (const ArrayComparison& c : comparisons) {
    values.push_back({c.name, number_or_dash(c.a.min), number_or_dash(c.b.min),
                      number_or_dash(c.a.max), number_or_dash(c.b.max), number_or_dash(c.a.mean),
                      number_or_dash(c.b.mean), number_or_dash(c.correlation)});
    const LargestDifference errors = c.errors.value_or(LargestDifference{});
    differences.push_back({c.name, value_of(c.absolute), position(a, c.name, c.absolute.point),
                           value_of(c.relative), position(a, c.name, c.relative.point),
                           value_of(errors), position(a, c.name, errors.point)});
  }
  print_table(values);
  print_table(differences);
  for (const ArrayComparison& c : comparisons)
    if (c.not_finite > 0)
      cli::out() << c.name << ": left out " << c.not_finite
                 << " points where a value is not finite\n";
}

void print_provenance(const Record& a, const Record& b) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [key, value] : a.provenance) both[key].first = value;
  for (const auto& [key, value] : b.provenance) both[key].second = value;
  for (const char* names_files : {"command", "dir_file"}) both.erase(names_files);
  std::erase_if(both, [](const auto& entry) { return entry.second.first == entry.second.second; });
  cli::out() << (both.empty() ? "the same provenance\n" : "provenance that differs:\n");
  for (const auto& [key, values] : both)
    cli::out() << "  " << key << ": " << (values.first.empty() ? "-" : values.first) << " | "
               << (values.second.empty() ? "-" : values.second) << '\n';
}

/// Reads the file to compare with `a`; throws Error if it is of another kind or has other points.
Record comparable(const Record& a, const std::string& path_b) {
  const std::string& path_a = a.file;
  Record b = load_record(path_b);
  require(a.kind == b.kind, path_b, " is ", phrase_of(b), ", ", path_a, " is ", phrase_of(a));
  require(a.table == b.table &&
              std::all_of(a.table.begin(), a.table.end(),
                          [&](const std::string& axis) { return same_axis(a, b, axis); }),
          path_b, " has other points than ", path_a, ": ", extent(b), "; ", path_a, " has ",
          extent(a));
  return b;
}

void print_comparison(const Record& a, const std::string& path_b) {
  const std::string& path_a = a.file;
  const Record b = comparable(a, path_b);
  const auto comparisons = compare_records(a, b);
  require(!comparisons.empty(), path_b, " and ", path_a, " have no quantity in common");
  cli::out() << path_a << " | " << path_b << ": " << extent(a);
  const Completeness part_a = completeness(a), part_b = completeness(b);
  if (!part_a.complete() || !part_b.complete())
    cli::out() << "; done are " << part_a.done << " | " << part_b.done;
  cli::out() << '\n';
  print_quantities(a, comparisons);
  print_provenance(a, b);
}

/// Prints a row for each of many results: of losses the lowest, the mean and the correlation with the
/// first's, of accuracies the highest.
void print_many(const Record& first, const std::vector<std::string>& files) {
  std::vector<std::vector<std::string>> rows = {{extent(first)}};
  std::vector<std::string> losses, accuracies;
  for (const ArrayComparison& c : compare_records(first, first)) {
    if (c.name.ends_with("_loss")) losses.push_back(c.name);
    if (c.name.ends_with("_acc") || c.name.ends_with("_accuracy")) accuracies.push_back(c.name);
  }
  require(!losses.empty(), "more than ", kFew, " results are compared by their losses, and ",
          first.file, " has none: name fewer");
  for (const std::string& loss : losses)
    rows[0].insert(rows[0].end(), {loss + " min", "mean", "correlation"});
  for (const std::string& accuracy : accuracies) rows[0].push_back(accuracy + " max");
  for (const std::string& file : files) {
    std::map<std::string, ArrayComparison> found;
    for (const ArrayComparison& c : compare_records(first, comparable(first, file)))
      found[c.name] = c;
    std::vector<std::string> row = {file};
    const auto add = [&](const std::string& name, auto value_in) {
      const auto at = found.find(name);
      row.push_back(at == found.end() ? "-" : number_or_dash(value_in(at->second)));
    };
    for (const std::string& loss : losses) {
      add(loss, [](const ArrayComparison& c) { return c.b.min; });
      add(loss, [](const ArrayComparison& c) { return c.b.mean; });
      add(loss, [](const ArrayComparison& c) { return c.correlation; });
    }
    for (const std::string& accuracy : accuracies)
      add(accuracy, [](const ArrayComparison& c) { return c.b.max; });
    rows.push_back(std::move(row));
  }
  print_table(rows);
}

/// Returns the files to compare with one another: those that are named, or of folders alone the
/// results that have one name in all of them.
std::vector<std::vector<std::string>> named_alike(const std::vector<std::string>& words) {
  namespace fs = std::filesystem;
  if (std::none_of(words.begin(), words.end(),
                   [](const std::string& word) { return fs::is_directory(word); }))
    return {words};
  for (const std::string& word : words)
    require(fs::is_directory(word), word,
            " is a file, other words are folders: name files alone, or "
            "folders alone");
  std::vector<std::vector<std::string>> found;
  for (const std::string& file : results_in(words.front())) {
    std::vector<std::string> files = {file};
    for (size_t i = 1; i < words.size(); ++i) {
      const fs::path other = fs::path(words[i]) / fs::path(file).filename();
      if (fs::exists(other)) files.push_back(other.string());
    }
    if (files.size() == words.size()) found.push_back(files);
  }
  require(!found.empty(), words.front(),
          " has no result of a name that all the others have, too: "
          "landscape ls shows what is there");
  return found;
}

}  // namespace

void CompareCommand::add_options(cli::Options& options) {
  options
      .about(
          "Results of one kind, surfaces on the same points: how each further file differs from "
          "the first.\n\n"
          "Of every quantity that both have: minimum, maximum and mean of the one and the other, "
          "the largest difference, absolute, relative to the first and in units of the standard "
          "error of a difference (sqrt(se1^2 + se2^2): over the same images it is smaller; of "
          "eigenvalues the residuals stand for it), with "
          "the points where they are, and the correlation. Then what differs in how they were "
          "made. Of more than three results a line each: of losses the lowest, the mean and the "
          "correlation with the first's, of accuracies the highest.\n\n"
          "Files of landscape sharpness: networks side by side, and from three networks on the "
          "rank correlation of every measure with --against. Which of the two it is, the files "
          "say.")
      .usage("FIRST OTHER...")
      .positionals("FILE", files_,
                   "results of one kind, files of landscape sharpness, or trainings' folders: what "
                   "has one name in all of them");
  options.group("Networks")
      .text("against", networks_.against, "MEASURE", "what the other measures are held against")
      .seed("seed", networks_.seed, "of random permutations and samples")
      .output_file("json", networks_.json, "write their numbers here too");
  options.epilogue(R"(Examples:
  landscape compare surface.h5 again.h5
  landscape compare *_sharpness.h5 --against test_error
)");
}

void CompareCommand::check(const cli::Options& options) {
  require(files_.size() >= 2, "nothing to compare: write landscape compare FIRST.h5 OTHER.h5");
  comparisons_ = named_alike(files_);
  for (const std::vector<std::string>& files : comparisons_)
    networks_there_ = networks_there_ || are_networks(files);
  if (networks_there_) return;
  for (const char* option : {"against", "seed", "json"})
    require(!options.given(option), "--", option, " is of networks; ", files_.front(),
            " is not a file of landscape sharpness");
}

int CompareCommand::run(const std::string&) {
  for (size_t k = 0; k < comparisons_.size(); ++k) {
    const std::vector<std::string>& files = comparisons_[k];
    if (k > 0) cli::out() << '\n';
    if (are_networks(files)) {
      compare_networks(files, networks_);
      continue;
    }
    const Record first = load_record(files.front());
    if (files.size() > kFew) {
      print_many(first, files);
      continue;
    }
    for (size_t i = 1; i < files.size(); ++i) {
      if (i > 1) cli::out() << '\n';
      print_comparison(first, files[i]);
    }
  }
  return 0;
}

}  // namespace topograd
