// CSV (RFC 4180, with line feeds): a header, a row a point.
#pragma once

#include <string>

#include "landscape/results/record.h"

namespace topograd {

/// Record::columns(). Numbers are written with the fewest digits, 17 at most, that read back to
/// the same bits; NaN is an empty cell, which pandas, R and spreadsheets take for a missing value,
/// infinity is inf or -inf. Truth values are 0 and 1. Texts are quoted where they have to be.
///
/// `comments`: the provenance comes first, a line "# key: value" each, for readers that skip such
/// lines (pandas: comment="#", gnuplot, R); without them a file opens everywhere as it is.
std::string csv_of(const Record& record, bool comments = false);

}  // namespace topograd
