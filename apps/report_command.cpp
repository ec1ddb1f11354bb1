#include "apps/report_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/report_data.h"
#include "apps/report_viewer.h"
#include "apps/result_file.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
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

/// --plane, which one of the surfaces has to have.
Json plane_to_show(const cxxopts::ParseResult& flags, const Json& results) {
  if (flags.count("plane") == 0) return nullptr;
  const std::string wanted = cli::text_of(flags, "plane");
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

/// Where the page goes: not over what it shows.
std::string output_path(const cxxopts::ParseResult& flags, const std::vector<std::string>& files) {
  const auto output = flags["output"].as<std::string>();
  require(!output.empty(), "--output names no file");
  if (!is_there(output)) return output;
  for (const std::string& file : files) {
    std::error_code absent;
    require(!std::filesystem::equivalent(output, file, absent), "--output is ", file,
            ", one of the results: choose another name");
  }
  return output;
}

std::string megabytes(size_t bytes) {
  const auto tenths = static_cast<int64_t>(bytes / 100000);
  return text(tenths / 10, ".", tenths % 10, " MB");
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
cxxopts::Options report_flags() {
  cxxopts::Options options(
      "landscape report",
      "Results as one HTML file, which any browser opens without a network: surfaces in 3D side by side,\n"
      "with one scale and linked cameras, contours, slices, trajectories, curvature, sharpness, coherence,\n"
      "paths and training curves, each as far as the files have it.\n\n"
      "Maps of hessian --over and coherence --over are shown on the surface that they belong to, a\n"
      "trajectory on the surface of its plane.\n");
  options.positional_help("RESULT...").set_width(100);
  options.add_options()
      ("files", "files of the other commands, and runs' log.csv",
       cxxopts::value<std::vector<std::string>>())
      ("o,output", "the HTML file", cxxopts::value<std::string>()->default_value("report.html"))
      ("title", "of the page; default: the networks' names", cxxopts::value<std::string>())
      ("plane", "values that the surfaces show first, such as test_loss or lambda_ratio",
       cxxopts::value<std::string>())
      ("help", "print this");
  options.parse_positional({"files"});
  return options;
}
// clang-format on

int run_report(const cxxopts::ParseResult& flags, const std::string& typed) {
  const std::string_view viewer = report_viewer();
  const auto files = flags.count("files") ? flags["files"].as<std::vector<std::string>>()
                                          : std::vector<std::string>();
  require(!files.empty(), "nothing to show: write landscape report RESULT.h5...");
  const std::string output = output_path(flags, files);
  Json results = Json::array();
  for (const std::string& file : files) results.push_back(report_result(file));
  const std::string title = cli::text_of(flags, "title", default_title(results));
  const Json report = {{"format", "topograd-report-1"},
                       {"title", title},
                       {"version", cli::version()},
                       {"command", typed},
                       {"plane", plane_to_show(flags, results)},
                       {"results", results}};
  const std::string page = filled(viewer, title, script_json(report));
  write_file_atomically(output, page);
  std::cout << output << ": " << files.size() << (files.size() == 1 ? " result, " : " results, ")
            << megabytes(page.size()) << '\n';
  return 0;
}

}  // namespace topograd
