// landscape export: results in other tools' formats.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options export_flags();

/// Writes every file in every format, and says so. Returns the exit status.
int run_export(const cxxopts::ParseResult& flags);

}  // namespace topograd
