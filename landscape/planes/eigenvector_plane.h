// The plane spanned by two eigenvectors of the Hessian, or another curvature.
#pragma once

#include <optional>
#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

/// The name of an eigenvector in a file: "largest:2" is that of the second largest eigenvalue.
struct EigenvectorName {
  bool largest = true;
  int64_t number = 1;  ///< number from that end of the spectrum, from 1

  std::string text() const;
  friend bool operator==(const EigenvectorName&, const EigenvectorName&) = default;
};
/// Reads "largest:2" or "smallest". Throws Error for anything else.
EigenvectorName eigenvector_named(const std::string& word);

struct EigenvectorPlane {
  std::string file;  ///< output of landscape hessian
  EigenvectorName x{}, y{.largest = false};
  DirectionNorm norm = DirectionNorm::none;  ///< none: length 1
  Ignore ignore = Ignore::none;
};

/// Makes the plane. Throws Error if the file is of another network, or lacks an eigenvector.
SurfaceDirections eigenvector_plane(const EigenvectorPlane& settings, const LoadedModel& model);

/// Returns how far an axis of this curvature reaches: where a quadratic loss rises or falls by 1,
/// at most |theta| / 2.
double reach_of(double curvature, const Tensor& theta);

}  // namespace topograd
