// The page of landscape report, filled with results.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace topograd {

struct ReportOptions {
  std::optional<std::string> title = {};  ///< default: the networks' names
  std::optional<std::string> plane = {};  ///< shown first by surfaces; default: the page chooses
  std::string command = {};               ///< as the user wrote it
};

/// Returns the HTML of a report on files of results. Throws Error for a file that is no result or
/// cannot be read, if no surface has the plane, and in a build without the page.
std::string report_page(const std::vector<std::string>& files, const ReportOptions& options);

}  // namespace topograd
