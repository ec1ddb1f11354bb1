// Results of hessian: eigenvalues, trace and density of the curvature at a network, and their file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/curvature/curvature_operator.h"
#include "landscape/curvature/spectrum.h"
#include "landscape/results/record.h"

namespace topograd {

/// Eigenvalues at one end of a spectrum, with unit vectors of theta's length.
struct Eigenvalues {
  std::vector<double> values, residuals;
  Tensor vectors;  ///< f32 [values, parameters], or undefined
};

/// How the eigenvalues were searched for, and with what success.
struct EigenvalueSearch {
  double tolerance = 0;
  int basis = 0, max_products = 0;  ///< as asked for
  int products = 0;                 ///< made
  bool converged = false;           ///< whether every residual is within the tolerance
};

/// The stages of a computation, kept as they are done.
struct CurvatureResults {
  Provenance provenance;
  std::optional<double> loss, gradient_norm;
  std::optional<Eigenvalues> largest, smallest;  ///< from the largest down, from the smallest up
  std::optional<EigenvalueSearch> search;        ///< theirs; files of older versions have none
  std::optional<TraceEstimate> trace;
  std::optional<SpectralDensity> density;

  /// Writes the file atomically: HDF5, one dataset a quantity (docs/files.md); vectors in PyTorch's
  /// order, every tensor of parameters() flattened. Equal results give files equal to the byte.
  void save(const std::string& path, const ParameterLayout& layout) const;
  static CurvatureResults load(const std::string& path, const ParameterLayout& layout);
  /// Reads all but the eigenvectors, which needs no network.
  static CurvatureResults load_values(const std::string& path);
  /// Returns all of it under the file's names, without the eigenvectors.
  Record record() const;
};

}  // namespace topograd
