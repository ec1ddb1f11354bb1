// Eigenvalues, trace and spectral density of a loss's curvature at a network: a computation in
// stages, each of which is kept in a file when it is done.
#pragma once

#include <string>

#include "kernels/core/thread_pool.h"
#include "landscape/curvature/curvature_results.h"
#include "landscape/curvature/curvature_selection.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"
#include "landscape/results/workload.h"

namespace topograd {

struct CurvatureSettings {
  int largest = 5;   ///< eigenvalues wanted at the upper end of the spectrum
  int smallest = 1;  ///< eigenvalues wanted at the lower end
  /// Bound of residuals |Hx - lambda x|, as LanczosOptions::tolerance.
  double tolerance = 1e-3;
  int basis = 0;            ///< vectors that Lanczos' method keeps; 0: twice the eigenvalues and 20
  int max_products = 1000;  ///< most products with the matrix for the eigenvalues
  int trace_products = 0;   ///< products for the trace; 0: no trace
  int probes = 0;           ///< random vectors for the spectral density; 0: no density
  int steps = 80;           ///< products for each random vector
  uint64_t seed = 1;        ///< seed of random vectors
  bool keep_vectors = true;  ///< whether the file holds the eigenvectors, too
};

/// Throws Error where the settings contradict one another.
void check(const CurvatureSettings& settings);

/// Computes what the file at `output` lacks of the settings, over the first of the image sets, and
/// saves every stage as it is done. Throws Error where the file belongs to another computation:
/// `provenance` says what this one is (network, images, device, command), and what must agree is
/// compared. Throws Interrupted where the observer asks to stop.
CurvatureResults analyse_curvature(const CurvatureSettings& settings,
                                   const CurvatureSelection& selection, const LoadedModel& model,
                                   const ImageSets& images, const Provenance& provenance,
                                   const std::string& output, ThreadPool& pool, Observer& observer);

/// Stages of analyse_curvature().
struct CurvatureStages {
  bool gradient = false, eigenvalues = false, trace = false, density = false;
};

/// Returns the stages that it would compute: what the file at `output` lacks. Throws Error as it
/// does, and writes nothing.
CurvatureStages curvature_to_do(const CurvatureSettings& settings,
                                const CurvatureSelection& selection, const LoadedModel& model,
                                const ImageSets& images, const Provenance& provenance,
                                const std::string& output);

/// Returns the work of stages over so many images; of eigenvalues the usual one, see
/// usual_products().
Workload workload_of(const CurvatureStages& stages, const CurvatureSettings& settings,
                     int64_t images);

}  // namespace topograd
