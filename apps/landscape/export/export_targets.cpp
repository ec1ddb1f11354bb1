#include "apps/landscape/export/export_targets.h"

#include <filesystem>
#include <map>

#include "kernels/core/check.h"
#include "landscape/exports/vtk.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

/// Returns "vtp" for "folder/s.vtp".
std::string suffix_of(const std::string& path) {
  const std::string suffix = fs::path(path).extension().string();
  return suffix.empty() ? suffix : suffix.substr(1);
}

bool is_even_grid(const ExportSource& source) {
  if (source.extent != Extent::grid) return true;
  const Surface surface = with_ascending_axes(*source.surface);
  return is_even(surface.x()) && is_even(surface.y());
}

ExportTarget target_in(const std::string& folder, const ExportSource& source, ExportFormat format) {
  ExportTarget target{&source, format, "", false};
  if (format == ExportFormat::vti && !is_even_grid(source)) {
    target.format = ExportFormat::vtr;
    target.instead = true;
  }
  const char* const joint = format == ExportFormat::h5 ? "_authors." : ".";
  target.path = (fs::path(folder) /
                 text(fs::path(source.path).stem().string(), joint, name_of(target.format)))
                    .string();
  return target;
}

void require_distinct(const std::vector<ExportTarget>& targets,
                      const std::vector<ExportSource>& sources) {
  std::map<std::string, const ExportTarget*> by_path;
  for (const ExportTarget& target : targets) {
    const auto [other, added] =
        by_path.emplace(fs::weakly_canonical(target.path).string(), &target);
    require(added, other->second->source->path, " and ", target.source->path,
            " would both be written to ", target.path, ": choose an --output for each");
    for (const ExportSource& source : sources) {
      std::error_code ignored;  // it need not exist
      require(!fs::equivalent(target.path, source.path, ignored), target.path,
              " is what is read: choose another --output");
    }
    require(!fs::is_directory(target.path), target.path, " is a folder: choose another --output");
  }
}

/// Returns the format of the file that --output names.
ExportFormat format_of_file(const std::string& output, const std::vector<ExportFormat>& formats) {
  const std::string suffix = suffix_of(output);
  require(is_format(suffix), output,
          " does not say which format: end it in .vtp, .csv, ..., or add "
          "--format");
  const ExportFormat format = format_named(suffix);
  require(formats.empty() || (formats.size() == 1 && formats.front() == format), output,
          " is one file of the format ", suffix, ": leave out --format, or name a folder");
  return format;
}

}  // namespace

bool names_folder(const std::string& output, bool formats_given, size_t sources) {
  if (output.empty()) return false;
  if (fs::is_directory(output) || output.back() == '/') return true;
  if (is_format(suffix_of(output))) {
    require(sources == 1, output, " is a single file: ", sources, " results need a folder");
    return false;
  }
  return formats_given || sources > 1;
}

std::vector<ExportTarget> plan_exports(const std::vector<ExportSource>& sources,
                                       const std::vector<ExportFormat>& formats,
                                       const std::string& output) {
  const bool folder = names_folder(output, !formats.empty(), sources.size());
  require(!formats.empty() || (!output.empty() && !folder),
          "which format? Add --format vtp,npz,..., or --output with a file's name");
  std::vector<ExportTarget> targets;
  if (!output.empty() && !folder) {
    const ExportFormat format = format_of_file(output, formats);
    require_format(sources.front().path, sources.front().record, sources.front().extent, format);
    targets.push_back({&sources.front(), format, output, false});
  } else {
    for (const ExportSource& source : sources)
      for (ExportFormat format : formats) {
        require_format(source.path, source.record, source.extent, format);
        const std::string beside = fs::path(source.path).parent_path().string();
        targets.push_back(target_in(folder ? output : beside, source, format));
      }
  }
  require_distinct(targets, sources);
  return targets;
}

}  // namespace topograd
