// landscape report in a build that found no Node.js.
#include "apps/landscape/report/report_viewer.h"
#include "kernels/core/check.h"

namespace topograd {

std::string_view report_viewer() {
  fail("built without the report's page: install nodejs and npm, and build again");
}

bool has_report_viewer() {
  return false;
}

}  // namespace topograd
