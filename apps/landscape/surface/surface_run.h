// One surface of a command: from its files to its pictures.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "apps/common/cli.h"
#include "apps/landscape/surface/surface_flags.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/surface/surface_computation.h"

namespace topograd {

/// Inputs of a surface, read as the options say.
struct SurfaceInputs {
  /// `typed` is the command as the user wrote it.
  SurfaceInputs(const SurfaceFlags& flags, const std::string& model_path, const std::string& output,
                const std::string& typed, const ProcessGroup& group);

  SurfaceSettings settings;
  LoadedModel model;
  std::unique_ptr<ThreadPool> pool;
  ImageSets images;
};

/// Pictures of a surface.
struct SurfacePictures {
  bool wanted = true;
  std::string stem;  ///< beginning of their names
  PictureOptions options;
  std::optional<TwoCurves> curves;  ///< one more picture, <stem>_losses
};

/// Returns the pictures that the options ask for, named after the surface's file, with the networks
/// of the plane marked.
SurfacePictures surface_pictures(const SurfaceFlags& flags, const std::string& output,
                                 const SurfaceDirections& directions);

/// What a command computes on rank zero before any point, once the surface's file is found valid.
struct BeforeSurface {
  std::function<void(Observer&, SurfacePictures&)> run{};
  int64_t points = 0;  ///< points that it evaluates
};

/// Computes (or continues) a surface together with the other ranks; prints its summary and draws
/// its pictures; an interrupted surface is drawn at its finest complete level. Returns the exit
/// status.
int run_surface(const SurfaceFlags& flags, const SurfaceInputs& inputs,
                const SurfaceDirections& directions, SurfacePictures pictures, ProcessGroup& group,
                const BeforeSurface& before = {});

}  // namespace topograd
