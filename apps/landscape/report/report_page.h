// The page of landscape report, filled with results.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace topograd {

struct ReportOptions {
  std::optional<std::string> title = {};  ///< none: the networks' names
  std::optional<std::string> plane = {};  ///< that the surfaces show first; none: the page chooses
  std::string command = {};               ///< as the user wrote it
};

/// The HTML of a report on files of results. An Error for what is none or cannot be read, where no
/// surface has the plane, and in a build without the page.
std::string report_page(const std::vector<std::string>& files, const ReportOptions& options);

}  // namespace topograd
