#include "apps/landscape/report/report_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/common/cli.h"
#include "apps/landscape/report/report_viewer.h"
#include "kernels/core/check.h"
#include "kernels/core/version.h"
#include "landscape/exports/report_json.h"
#include "landscape/figures/markup.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

/// JSON that may stand in a <script>: no text in it can end the script or begin a comment. What is
/// not UTF-8, in a file's name say, is replaced.
std::string script_json(const Json& json) {
  std::string escaped;
  for (char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

/// The page with what belongs in the places of its two marks.
std::string filled(std::string_view page, const std::string& title, const std::string& data) {
  const size_t title_at = page.find(kReportTitleMark), data_at = page.find(kReportDataMark);
  require(title_at < data_at && data_at != page.npos, "the report's page lacks its marks");
  const size_t after_title = title_at + kReportTitleMark.size();
  return text(page.substr(0, title_at), escaped_markup(title),
              page.substr(after_title, data_at - after_title), data,
              page.substr(data_at + kReportDataMark.size()));
}

/// The networks' names, where they are few.
std::string default_title(const Json& results) {
  std::vector<std::string> names;
  for (const Json& result : results) {
    const std::string name = result["provenance"].value("model_name", "");
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  if (names.empty() || names.size() > 3) return "Loss landscapes";
  std::string title;
  for (size_t i = 0; i < names.size(); ++i)
    title += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return title;
}

/// The plane that is asked for, which one of the surfaces has to have.
Json plane_to_show(const std::string& wanted, const Json& results) {
  std::set<std::string> names;
  for (const Json& result : results)
    if (result.contains("planes"))
      for (const auto& [name, values] : result["planes"].items()) names.insert(name);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  require(names.contains(wanted), "--plane: no surface here has '", wanted, "'",
          all.empty() ? text("; there is no surface") : text(": they have ", all));
  return wanted;
}

}  // namespace

std::string report_page(const std::vector<std::string>& files, const ReportOptions& options) {
  const std::string_view viewer = report_viewer();
  Json results = Json::array();
  for (const std::string& file : files) results.push_back(report_result(file));
  const std::string title = options.title ? *options.title : default_title(results);
  const Json report = {{"format", "topograd-report-1"},
                       {"title", title},
                       {"version", version()},
                       {"command", options.command},
                       {"plane", options.plane ? plane_to_show(*options.plane, results) : Json()},
                       {"results", results}};
  return filled(viewer, title, script_json(report));
}

}  // namespace topograd
