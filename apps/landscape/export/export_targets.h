// Which files landscape export writes, and where.
#pragma once

#include <string>
#include <vector>

#include "landscape/exports/export_source.h"

namespace topograd {

struct ExportTarget {
  const ExportSource* source;
  ExportFormat format;
  std::string path;
  bool instead = false;  ///< .vtr in place of .vti
};

/// Returns a target for every source in every format. `output` is a file, which names its format,
/// or a folder, or empty: beside each source. Files are named as the source with the format's
/// suffix, h5 as NAME_authors.h5. A grid with uneven points becomes .vtr instead of .vti.
///
/// Throws Error where it is not clear what to write, where a format cannot hold a source, where two
/// files would have one name, or where one is a source itself.
std::vector<ExportTarget> plan_exports(const std::vector<ExportSource>& sources,
                                       const std::vector<ExportFormat>& formats,
                                       const std::string& output);

/// Returns whether `output` names a folder, existing or not, for this many sources.
bool names_folder(const std::string& output, bool formats_given, size_t sources);

}  // namespace topograd
