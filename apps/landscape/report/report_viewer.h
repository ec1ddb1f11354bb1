// The page that landscape report fills with results: HTML, styles, scripts and all, made from
// apps/landscape/report/page/.
#pragma once

#include <string_view>

namespace topograd {

/// Returns the page, in which the results are to replace the text kReportDataMark, and the page's
/// title, as HTML, kReportTitleMark. Throws Error in a build without the page.
std::string_view report_viewer();

/// Returns whether this build has the page.
bool has_report_viewer();

constexpr std::string_view kReportDataMark = "@REPORT_DATA@";
constexpr std::string_view kReportTitleMark = "@REPORT_TITLE@";

}  // namespace topograd
