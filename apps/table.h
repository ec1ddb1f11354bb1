// Numbers and tables for a person.
#pragma once

#include <string>
#include <vector>

namespace topograd {

/// Six significant digits, or as many as are asked for; "-" for NaN.
std::string short_number(double value, int digits = 6);

/// On stdout, columns as wide as they need to be: the first to the left, the others to the right.
void print_aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace topograd
