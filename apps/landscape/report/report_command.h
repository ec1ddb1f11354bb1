// landscape report: one HTML file that shows results, anywhere, without a network.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options report_flags();

/// Writes the page. `typed` is what the user wrote. Returns the exit status.
int run_report(const cxxopts::ParseResult& flags, const std::string& typed);

}  // namespace topograd
