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
  bool instead = false;  ///< .vtr, where .vti was asked for
};

/// Every source in every format. `output` is a file, which names its format, or a folder, or empty:
/// beside each source. Files are called as the source with the format's suffix, and of h5
/// NAME_authors.h5. A grid whose points are not evenly spaced becomes .vtr where `formats` has vti.
///
/// Throws Error where it is not clear what to write, where a format makes no sense of a source,
/// where two files would have one name, or where one is a source itself.
std::vector<ExportTarget> plan_exports(const std::vector<ExportSource>& sources,
                                       const std::vector<ExportFormat>& formats,
                                       const std::string& output);

/// Whether `output` names a folder, there or not, for this many sources.
bool names_folder(const std::string& output, bool formats_given, size_t sources);

}  // namespace topograd
