// The page that landscape report fills with results: HTML, styles, scripts and all, made from
// apps/landscape/report/page/.
#pragma once

#include <string_view>

namespace topograd {

/// The page, in which the results are to take the place of the text kReportDataMark, and the
/// page's title, as HTML, that of kReportTitleMark. Throws Error in a build without the page.
std::string_view report_viewer();

/// Whether this build has it.
bool has_report_viewer();

constexpr std::string_view kReportDataMark = "@REPORT_DATA@";
constexpr std::string_view kReportTitleMark = "@REPORT_TITLE@";

}  // namespace topograd
