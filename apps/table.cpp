#include "apps/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace topograd {

std::string short_number(double value, int digits) {
  if (std::isnan(value)) return "-";
  char shown[32];
  std::snprintf(shown, sizeof shown, "%.*g", digits, value);
  return shown;
}

void print_aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      line += i == 0 ? row[i] + padding : "  " + padding + row[i];
    }
    std::cout << line << '\n';
  }
}

}  // namespace topograd
