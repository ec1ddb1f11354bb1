// Extreme eigenvalues of the curvature and the gradient's norm at every point of a surface.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/curvature/curvature_selection.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface_map.h"

namespace topograd {

struct CurvatureMapSettings {
  double tolerance = 1e-3;  ///< bound of residuals, as a share of the largest |eigenvalue|
  int basis = 0;            ///< vectors that Lanczos' method keeps; 0: its own choice
  int max_products = 1000;  ///< most products with the matrix for a point's eigenvalues
  int trace_products = 0;   ///< products for the trace; 0: no trace
  uint64_t seed = 1;        ///< seed of random vectors

  /// Sets seed, tolerance, basis, max_products and trace_products.
  void describe(Provenance& provenance) const;
  /// Returns the names of the map's planes.
  std::vector<std::string> planes() const;
};

/// Throws Error where the settings contradict one another.
void check(const CurvatureMapSettings& settings);

/// Measures points one after the other: Lanczos' method begins at the eigenvectors of the nearest
/// of the points measured lately.
class CurvatureAtPoints {
 public:
  /// The graph of the spec, the pool and the observer must outlive it.
  CurvatureAtPoints(const CurvatureMapSettings& settings, const CurvatureSpec& spec,
                    ThreadPool& pool, Observer& observer);
  ~CurvatureAtPoints();

  /// Returns the planes' values at a point, NaN where the loss is not finite there; nothing where
  /// the observer asked to stop.
  std::optional<SurfaceMap::Values> measure(const SurfaceMap::Point& point);
  /// Number of points so far whose residuals stayed above the tolerance.
  int64_t unconverged() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
