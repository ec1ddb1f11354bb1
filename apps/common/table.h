// Tables for a terminal.
#pragma once

#include <string>
#include <vector>

namespace topograd {

/// Prints rows on stdout, columns as wide as they need to be: the first `left` of them and those
/// from `left_again` on start at the left, numbers between them end at the right.
void print_table(const std::vector<std::vector<std::string>>& rows, size_t left = 1,
                 size_t left_again = 1000);

}  // namespace topograd
