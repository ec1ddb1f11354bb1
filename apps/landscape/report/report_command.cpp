#include "apps/landscape/report/report_command.h"

#include "apps/common/console.h"
#include "apps/landscape/common/named_files.h"
#include "apps/landscape/report/report_page.h"
#include "apps/landscape/report/report_viewer.h"
#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"
#include "landscape/results/run_description.h"

namespace topograd {

namespace {

std::string megabytes(size_t bytes) {
  const auto tenths = static_cast<int64_t>(bytes / 100000);
  return text(tenths / 10, ".", tenths % 10, " MB");
}

}  // namespace

void ReportCommand::add_options(cli::Options& options) {
  options
      .about(
          "Results as one HTML file, which any browser opens without a network: a table of all "
          "networks, which sorts, hides and shows; surfaces in 3D side by side, on one scale or "
          "each on its own, with linked cameras; contours, slices, trajectories, curvature, "
          "sharpness, coherence, paths and training curves, each as far as the files have it.\n\n"
          "Maps of hessian --over and coherence --over are shown on the surface that they belong "
          "to, a trajectory on the surface of its plane.")
      .positionals("RESULT", files_,
                   "files of the other commands, runs' log.csv, or folders of them")
      .output_file("output,o", output_, "the HTML file")
      .text("title", title_, "TEXT", "of the page (default: the networks' names)")
      .text("values,plane", plane_, "NAME",
            "values that the surfaces show first, such as test_loss or lambda_ratio")
      .epilogue(R"(Examples:
  landscape report surface.h5 hessian.h5 runs/resnet20/log.csv
  landscape report resnet56.h5 noshort.h5 --title "With and without shortcuts" -o both.html
)");
}

void ReportCommand::check(const cli::Options&) {
  report_viewer();  // throws Error in a build without the page
  require(!files_.empty(), "nothing to show: write landscape report RESULT.h5...");
  require(!output_.empty(), "--output names no file");
  files_ = cli::results_named(files_, "report");
}

int ReportCommand::run(const std::string& typed) {
  const std::string page =
      report_page(files_, {.title = title_, .plane = plane_, .command = typed});
  write_file_atomically(output_, page);
  cli::out() << output_ << ": " << files_.size()
             << (files_.size() == 1 ? " result, " : " results, ") << megabytes(page.size()) << '\n';
  return 0;
}

}  // namespace topograd
