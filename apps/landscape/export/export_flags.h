// The options of landscape export.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/landscape/export/export_targets.h"
#include "landscape/exports/height_field.h"

namespace topograd {

struct ExportFlags {
  std::vector<std::string> files, format_names;
  std::vector<ExportFormat> formats;  ///< set by check()
  std::string output;                 ///< file, whose suffix is the format, or folder; may be empty
  HeightOptions heights;
  ModelSize size;
  std::optional<double> vtp_height;  ///< empty: unscaled values; set by check()
  bool comments = false;

  void add_to(cli::Options& options);
  /// Reads --format. Throws Error if nothing is to be exported, or a format comes twice.
  void check(const cli::Options& options);
  /// Throws Error for a given option that has no effect on any of these files.
  void require_heeded(const cli::Options& options, const std::vector<ExportTarget>& targets) const;
};

}  // namespace topograd
