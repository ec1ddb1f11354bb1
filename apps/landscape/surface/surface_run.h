// One surface from its flags to its pictures, whatever spans it: the engine behind landscape
// surface, line, plane and trajectory.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "apps/landscape/surface/direction_flags.h"
#include "apps/landscape/surface/surface_computation.h"
#include "apps/landscape/surface/surface_inputs.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/surface/grid.h"

namespace topograd {

/// Where a surface lies, and what is to be marked there.
struct SurfaceGeometry {
  SurfaceDirections directions;
  Axis x_axis, y_axis;  ///< where --x and --y do not say
  FigureMarks marks{};
  std::string note{};                 ///< a line under the pictures' subtitle
  std::optional<TwoCurves> curves{};  ///< another picture, <stem>_losses
  bool joins_models = false;          ///< a line whose 0 and 1 are networks: it has a barrier
};

/// What is a command's own. Functions are called in this order, and none twice.
struct SurfaceJob {
  bool line = false;
  std::string model_path;        ///< the origin's
  bool leads_to_models = false;  ///< whether a direction does
  std::string output;            ///< the surface's file
  std::string picture_stem{};    ///< of the pictures' names; empty: the output's
  bool pictures = true;          ///< where --no-pictures does not say
  /// Of pictures, where no flag says; none: what the range of the values asks for.
  std::optional<Scale> scale = Scale::linear;
  /// On every rank, the lead alone writes.
  std::function<SurfaceGeometry(SurfaceInputs& inputs, bool lead)> place;
  /// What the lead does before any point is computed; it returns early at an interruption.
  std::function<void(SurfaceInputs& inputs, SurfaceGeometry& place)> before{};
};

/// Says which flags of the reference implementation were given for nothing.
void note_flags_without_effect(const cxxopts::ParseResult& flags);

class SurfaceRun {
 public:
  /// Reads everything; `typed` is the command as the user wrote it.
  SurfaceRun(const cxxopts::ParseResult& flags, const SurfaceJob& command, const std::string& typed,
             ProcessGroup& ranks);

  /// ProcessGroup read their files themselves, perhaps on several machines: an Error where this one's are
  /// not rank 0's.
  void require_same_inputs() const;
  /// Makes all ready, up to the output file.
  void begin();
  /// SurfaceJob::before.
  void prepare();
  /// Computes, reports, draws; returns the exit status.
  int run();

 private:
  Surface axes() const;
  void warn_where_invariance_fails() const;
  void check_precision();
  bool wants_pictures() const;
  void report();
  void report_barriers();
  void report_networks() const;
  void report_unfinished() const;
  void draw(const Surface& surface, const PictureOptions& options) const;

  const cxxopts::ParseResult& flags_;
  const SurfaceJob& command_;
  ProcessGroup& ranks_;
  PictureOptions picture_;
  double save_seconds_ = 0;
  SurfaceInputs inputs_;
  SurfaceGeometry place_;
  Surface surface_;
  SurfaceValues values_;
  std::string precision_check_;
  std::optional<SurfaceComputation> computation_;
};

}  // namespace topograd
