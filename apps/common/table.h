// Tables for a terminal.
#pragma once

#include <string>
#include <vector>

namespace topograd {

/// Prints rows on stdout in columns as wide as needed. The first `left` columns and those from
/// `left_again` on are aligned left, numbers between them right.
void print_table(const std::vector<std::vector<std::string>>& rows, size_t left = 1,
                 size_t left_again = 1000);

}  // namespace topograd
