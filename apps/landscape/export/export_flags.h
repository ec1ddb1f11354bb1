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
  std::string output;                 ///< a file, whose suffix is the format, or a folder; or empty
  HeightOptions heights;
  ModelSize size;
  std::optional<double> vtp_height;  ///< empty: the values themselves; set by check()
  bool comments = false;

  void add_to(cli::Options& options);
  /// Reads --format. Throws Error where nothing is to be exported, or a format comes twice.
  void check(const cli::Options& options);
  /// Throws Error for an option that was given and that none of these files would heed.
  void require_heeded(const cli::Options& options, const std::vector<ExportTarget>& targets) const;
};

}  // namespace topograd
