#include "landscape/exports/format.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/core/check.h"
#include "landscape/kinds/result_kind.h"

namespace topograd {

namespace {

using Formats = std::vector<ExportFormat>;

constexpr std::array<std::pair<const char*, ExportFormat>, 9> kFormats = {{
    {"vti", ExportFormat::vti},
    {"vtr", ExportFormat::vtr},
    {"vtp", ExportFormat::vtp},
    {"npz", ExportFormat::npz},
    {"json", ExportFormat::json},
    {"csv", ExportFormat::csv},
    {"obj", ExportFormat::obj},
    {"stl", ExportFormat::stl},
    {"h5", ExportFormat::h5},
}};

/// Returns "npz, json or csv".
std::string list_of(const Formats& formats) {
  std::string list;
  for (size_t i = 0; i < formats.size(); ++i) {
    if (i > 0) list += i + 1 < formats.size() ? ", " : " or ";
    list += name_of(formats[i]);
  }
  return list;
}

Formats all_formats() {
  Formats all;
  for (const auto& [name, format] : kFormats) all.push_back(format);
  return all;
}

Formats formats_of(const std::string& kind, Extent extent) {
  using enum ExportFormat;
  if (kind == "surface")
    return extent == Extent::line ? Formats{npz, json, csv, h5} : all_formats();
  if (kind == "trajectory") return {vtp, npz, json, csv};
  if (kind == "training_log") return {npz, json};
  return {npz, json, csv};
}

std::string reason(const std::string& kind, Extent extent, ExportFormat format) {
  if (kind == "training_log" && format == ExportFormat::csv) return "which is csv already";
  if (format == ExportFormat::h5) return "and the authors' layout holds surfaces alone";
  if (kind == "trajectory") return text("which makes a line in space, but no ", name_of(format));
  return extent == Extent::line ? "which has no mesh" : "which has no points of a plane";
}

}  // namespace

std::string name_of(ExportFormat format) {
  for (const auto& [name, value] : kFormats)
    if (value == format) return name;
  fail("no such format");
}

bool is_format(const std::string& name) {
  return std::any_of(kFormats.begin(), kFormats.end(),
                     [&](const auto& known) { return name == known.first; });
}

ExportFormat format_named(const std::string& name) {
  for (const auto& [known, format] : kFormats)
    if (name == known) return format;
  fail("no format '", name, "': choose ", list_of(all_formats()));
}

bool has_heights(ExportFormat format) {
  return format == ExportFormat::vtp || format == ExportFormat::obj || format == ExportFormat::stl;
}

void require_format(const std::string& path, const Record& record, Extent extent,
                    ExportFormat format) {
  const Formats formats = formats_of(record.kind, extent);
  const bool fits = std::find(formats.begin(), formats.end(), format) != formats.end();
  require(fits, path, " is ", phrase_of(record), ", ", reason(record.kind, extent, format),
          ": choose ", list_of(formats));
}

}  // namespace topograd
