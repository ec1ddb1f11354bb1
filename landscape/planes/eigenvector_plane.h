// The plane of two eigenvectors of the curvature.
#pragma once

#include <optional>
#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

/// Which eigenvector of a file: "largest:2" is that of the second largest eigenvalue.
struct EigenvectorName {
  bool largest = true;
  int64_t number = 1;  ///< counted from 1 at that end of the spectrum

  std::string text() const;
  friend bool operator==(const EigenvectorName&, const EigenvectorName&) = default;
};
/// Reads "largest:2" or "smallest". Throws Error for anything else.
EigenvectorName eigenvector_named(const std::string& word);

struct EigenvectorPlane {
  std::string file;  ///< of landscape hessian
  EigenvectorName x{}, y{.largest = false};
  DirectionNorm norm = DirectionNorm::none;  ///< none: of length 1
  Ignore ignore = Ignore::none;
};

/// Lays the plane. Throws Error where the file is of another network, or lacks an eigenvector.
SurfaceDirections eigenvector_plane(const EigenvectorPlane& settings, const LoadedModel& model);

/// How far to look along a direction of this curvature: where the loss would have risen (or fallen)
/// by 1 if the curvature stayed, never further than half the way from theta to 0.
double reach_of(double curvature, const Tensor& theta);

}  // namespace topograd
