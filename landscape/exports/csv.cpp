#include "landscape/exports/csv.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/format.h"

namespace topograd {

namespace {

std::string number(double value) {
  if (std::isnan(value)) return "";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return shortest(value);
}

std::string quoted(const std::string& word) {
  if (word.find_first_of(",\"\r\n#") == std::string::npos) return word;
  std::string result = "\"";
  for (char c : word) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string cell(const NamedArray& column, size_t row) {
  return column.type == NamedArray::Type::text ? quoted(column.words[row])
                                               : number(column.numbers[row]);
}

std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\r', ' ');
  return text;
}

}  // namespace

std::string csv_of(const Record& record, bool comments) {
  const std::vector<NamedArray> columns = record.columns();
  std::string csv;
  if (comments)
    for (const auto& [key, value] : record.provenance)
      csv += text("# ", in_one_line(key), ": ", in_one_line(value), "\n");
  const auto add_row = [&](const auto& cell_of) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) csv += ',';
      csv += cell_of(columns[i]);
    }
    csv += '\n';
  };
  add_row([](const NamedArray& column) { return quoted(column.name); });
  const size_t rows = columns.empty() ? 0 : static_cast<size_t>(columns.front().shape.size());
  for (size_t row = 0; row < rows; ++row)
    add_row([&](const NamedArray& column) { return cell(column, row); });
  return csv;
}

}  // namespace topograd
