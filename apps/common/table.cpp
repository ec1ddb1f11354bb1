#include "apps/common/table.h"

#include <algorithm>

#include "apps/common/console.h"

namespace topograd {

void print_table(const std::vector<std::vector<std::string>>& rows, size_t left,
                 size_t left_again) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      const bool to_the_left = i < left || i >= left_again;
      line += i == 0 ? "" : "  ";
      line += to_the_left ? row[i] + padding : padding + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    cli::out() << line << '\n';
  }
}

}  // namespace topograd
