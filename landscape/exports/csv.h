// CSV (RFC 4180, with line feeds): a header, a row a point.
#pragma once

#include <string>

#include "landscape/results/record.h"

namespace topograd {

/// Returns Record::columns() as CSV. Numbers are written with the fewest digits, 17 at most, that
/// read back to the same bits; NaN is an empty cell, which pandas, R and spreadsheets take for a
/// missing value, infinity is inf or -inf. Truth values are 0 and 1. Texts are quoted where needed.
///
/// `comments` puts the provenance first, a line "# key: value" each, for readers that skip such
/// lines (pandas: comment="#", gnuplot, R); without them every reader opens the file.
std::string csv_of(const Record& record, bool comments = false);

}  // namespace topograd
