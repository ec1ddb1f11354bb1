#include "apps/landscape/report/report_page.h"

#include <algorithm>
#include <set>

#include "apps/common/cli.h"
#include "apps/landscape/report/report_viewer.h"
#include "kernels/core/check.h"
#include "kernels/core/version.h"
#include "landscape/figures/canvas/markup.h"
#include "landscape/kinds/result_kind.h"
#include "landscape/results/record_json.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

/// Escapes JSON for a <script>: no text in it can end the script or begin a comment.
std::string script_json(const std::string& json) {
  std::string escaped;
  for (char c : json) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

/// Returns the page with its two marks replaced.
std::string filled(std::string_view page, const std::string& title, const std::string& data) {
  const size_t title_at = page.find(kReportTitleMark), data_at = page.find(kReportDataMark);
  require(title_at < data_at && data_at != page.npos, "the report's page lacks its marks");
  const size_t after_title = title_at + kReportTitleMark.size();
  return text(page.substr(0, title_at), escaped_markup(title),
              page.substr(after_title, data_at - after_title), data,
              page.substr(data_at + kReportDataMark.size()));
}

/// Returns the networks' names, if they are few.
std::string default_title(const std::vector<Record>& records) {
  std::vector<std::string> names;
  for (const Record& record : records) {
    const std::string name = value_of(record.provenance, "model_name");
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  if (names.empty() || names.size() > 3) return "Loss landscapes";
  std::string title;
  for (size_t i = 0; i < names.size(); ++i)
    title += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return title;
}

/// Throws Error if no surface has the plane that is asked for.
void require_plane(const std::string& wanted, const std::vector<Record>& records) {
  std::set<std::string> names;
  for (const Record& record : records)
    for (const NamedArray* array : record.over(record.table))
      if (record.kind == "surface" && array->type == NamedArray::Type::real && !array->is_axis())
        names.insert(array->name);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  require(names.contains(wanted), "--values: no surface here has '", wanted, "'",
          all.empty() ? text("; there is no surface") : text(": they have ", all));
}

}  // namespace

std::string report_page(const std::vector<std::string>& files, const ReportOptions& options) {
  const std::string_view viewer = report_viewer();
  std::vector<Record> records;
  for (const std::string& file : files) records.push_back(load_record(file));
  const std::string title = options.title ? *options.title : default_title(records);
  if (options.plane) require_plane(*options.plane, records);
  Json phrases = Json::array();
  for (const Record& record : records) phrases.push_back(phrase_of(record));
  const Json head = {{"format", "topograd-report-2"},
                     {"title", title},
                     {"version", version()},
                     {"command", options.command},
                     {"plane", options.plane ? Json(*options.plane) : Json()},
                     {"phrases", phrases}};
  std::string report = json_text(head);
  report.back() = ',';  // in place of the brace
  return filled(viewer, title, script_json(text(report, "\"results\":", json_of(records), "}")));
}

}  // namespace topograd
