#include "landscape/results/training_log.h"

#include <cmath>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "kernels/core/output_claim.h"
#include "kernels/core/streams.h"

namespace topograd {

namespace {

constexpr const char* kHeader =
    "epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,images_per_second,"
    "seconds,gradient_norm,weight_norm";
/// Fields of the header's columns after the epoch.
constexpr double EpochReport::*kColumns[] = {
    &EpochReport::learning_rate, &EpochReport::train_loss,    &EpochReport::train_accuracy,
    &EpochReport::test_loss,     &EpochReport::test_accuracy, &EpochReport::images_per_second,
    &EpochReport::seconds,       &EpochReport::gradient_norm, &EpochReport::weight_norm};

std::vector<std::string> cells_of(const std::string& line) {
  TextReader in(line);
  std::vector<std::string> cells;
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

double number_in(const std::string& cell, const std::string& path, size_t line) {
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  require(!cell.empty() && *end == '\0', path, ":", line, ": '", cell, "' is not a number");
  return value;
}

EpochReport report_in(const std::vector<std::string>& cells, const std::string& path, size_t line) {
  const size_t columns = 1 + std::size(kColumns);
  // Older logs lack the last two columns.
  require(cells.size() == columns || cells.size() + 2 == columns, path, ":", line, " has ",
          cells.size(), " values instead of ", columns, ": was it cut off?");
  EpochReport report;
  const double epoch = number_in(cells[0], path, line);
  require(epoch >= 0 && epoch <= 1e15 && epoch == std::floor(epoch), path, ":", line, ": '",
          cells[0], "' is no epoch's number");
  report.epoch = static_cast<int64_t>(epoch);
  for (size_t k = 1; k < cells.size(); ++k)
    report.*kColumns[k - 1] = number_in(cells[k], path, line);
  return report;
}

}  // namespace

std::vector<EpochReport> read_training_log(const std::string& path) {
  FileReader in(path);
  require(in.good(), path, " cannot be opened: is its name right?");
  note_input(path);
  std::string line;
  std::getline(in, line);
  require(!line.empty() && std::string_view(kHeader).starts_with(line), path,
          " is not a training's log.csv: its first line is not the header");
  std::vector<EpochReport> epochs;
  for (size_t number = 2; std::getline(in, line); ++number) {
    epochs.push_back(report_in(cells_of(line), path, number));
    require(epochs.size() < 2 || epochs.back().epoch > epochs[epochs.size() - 2].epoch, path, ":",
            number, ": epoch ", epochs.back().epoch, " stands behind a later one");
  }
  return epochs;
}

TrainingLog::TrainingLog(std::string path, int64_t epochs) : path_(std::move(path)) {
  FileReader in(path_);
  std::string line;
  std::getline(in, line);
  for (int64_t i = 0; i < epochs && std::getline(in, line); ++i) rows_.push_back(cells_of(line));
}

void TrainingLog::append(const EpochReport& r) {
  rows_.push_back({text(r.epoch), text(r.learning_rate), decimals(r.train_loss, 6),
                   decimals(r.train_accuracy, 3), decimals(r.test_loss, 6),
                   decimals(r.test_accuracy, 3), decimals(r.images_per_second, 1),
                   decimals(r.seconds, 1), text(r.gradient_norm), text(r.weight_norm)});
  std::string content = text(kHeader, '\n');
  for (const std::vector<std::string>& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) content += row[i] + (i + 1 < row.size() ? ',' : '\n');
  write_file_atomically(path_, content);
}

Record record_of(const std::vector<EpochReport>& epochs) {
  Record record{"training_log", "", {}, {"epoch"}};
  std::vector<std::string> names = cells_of(kHeader);
  std::vector<double> values;
  for (const EpochReport& epoch : epochs) values.push_back(static_cast<double>(epoch.epoch));
  record.add_series("epoch", "epoch", values);
  for (size_t k = 0; k < std::size(kColumns); ++k) {
    values.clear();
    for (const EpochReport& epoch : epochs) values.push_back(epoch.*kColumns[k]);
    NamedArray& series = record.add_series(names[k + 1], "epoch", values);
    if (series.name.ends_with("_accuracy")) series.unit = std::string(1, '%');
  }
  return record;
}

}  // namespace topograd
