// The options of landscape plane.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/landscape/surface/surface_flags.h"
#include "landscape/planes/eigenvector_plane.h"
#include "landscape/planes/gradient_plane.h"
#include "landscape/planes/network_plane.h"

namespace topograd {

/// Options of landscape plane; exactly one of networks, eigenvectors, gradient and dir_file spans
/// the plane.
struct PlaneFlags {
  SurfaceFlags surface;
  NetworkPlane networks;
  EigenvectorPlane eigenvectors;
  bool along_gradient = false;
  std::string dir_file;
  std::optional<DirectionNorm> norm;
  std::optional<Ignore> ignore;
  uint64_t seed = 1;

  void add_to(cli::Options& options);
  void check(const cli::Options& options);

  /// Returns the plane along the gradient over the images of the surface.
  GradientPlane gradient(const Loss& loss) const;

 private:
  void check_source(const cli::Options& options) const;

  std::vector<std::string> more_words_;
};

}  // namespace topograd
