// The formats that results are exported in, and which of them make sense of what.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

enum class ExportFormat { vti, vtr, vtp, npz, json, csv, obj, stl, h5 };

/// Returns the format's name in options and files' suffixes: "vtp".
std::string name_of(ExportFormat format);
/// Returns the format of this name. Throws Error, which lists them all, for any other.
ExportFormat format_named(const std::string& name);
/// Returns whether a format has this name.
bool is_format(const std::string& name);
/// Returns whether a file of this format is a mesh whose height is a plane's value.
bool has_heights(ExportFormat format);

/// Shape of what is exported; only grids have meshes.
enum class Extent { grid, line, other };

/// Throws Error where `format` cannot hold a result of this kind, saying what to choose instead:
/// "line.h5 is a line, which has no mesh: choose npz, json, csv or h5".
void require_format(const std::string& path, const Record& record, Extent extent,
                    ExportFormat format);

}  // namespace topograd
