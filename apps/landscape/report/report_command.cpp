#include "apps/landscape/report/report_command.h"

#include <filesystem>
#include <iostream>

#include "apps/landscape/report/report_page.h"
#include "apps/landscape/report/report_viewer.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/results/resumable_file.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

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
  report_viewer();  // an Error where there is none
  const auto files = flags.count("files") ? flags["files"].as<std::vector<std::string>>()
                                          : std::vector<std::string>();
  require(!files.empty(), "nothing to show: write landscape report RESULT.h5...");
  const std::string output = output_path(flags, files);
  ReportOptions options{.command = typed};
  if (flags.count("title")) options.title = cli::text_of(flags, "title");
  if (flags.count("plane")) options.plane = cli::text_of(flags, "plane");
  const std::string page = report_page(files, options);
  write_file_atomically(output, page);
  std::cout << output << ": " << files.size() << (files.size() == 1 ? " result, " : " results, ")
            << megabytes(page.size()) << '\n';
  return 0;
}

}  // namespace topograd
