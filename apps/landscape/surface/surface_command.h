// landscape surface, line, plane and trajectory: losses on a plane or a line of networks.
#pragma once

#include <optional>
#include <string>

#include "apps/common/cli.h"
#include "apps/landscape/surface/surface_run.h"
#include "landscape/distributed/process_group.h"

namespace topograd {

enum class SurfaceKind { surface, line, plane, trajectory };
std::string name_of(SurfaceKind kind);
/// None where no kind has this name.
std::optional<SurfaceKind> surface_kind_named(const std::string& name);

/// The flags of each; a line has no y axis.
cxxopts::Options surface_flags(SurfaceKind kind);

/// The text of --help, what is needed first in front.
std::string surface_help(const cxxopts::Options& options);

/// The surfaces that a command's flags ask for, one after another; the flags must outlive them.
/// Several where a run's folder is given: one around each checkpoint. `typed` is the command as the
/// user wrote it.
std::vector<SurfaceJob> surface_commands(const cxxopts::ParseResult& flags, SurfaceKind kind,
                                         const std::string& typed);

/// Computes (or continues) the surfaces, together with the other ranks, and draws their pictures.
/// Returns the exit status.
int run_surface(const cxxopts::ParseResult& flags, SurfaceKind kind, const std::string& command,
                ProcessGroup& ranks);

}  // namespace topograd
