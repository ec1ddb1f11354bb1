// Settings that decide a surface's values besides the network, the images and the directions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "landscape/directions/grid.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/surface/surface_values.h"
#include "models/loaded_model.h"

namespace topograd {

/// Statistics that BatchNorm normalises by at the points of a surface.
struct SurfaceBatchnorm {
  PointBatchnorm at_points = PointBatchnorm::given;
  int64_t batch = 128;  ///< images per batch, unless the statistics are given

  /// Returns a description for a file: "frozen", "statistics of batches of 128". `directions` says
  /// whether given statistics move with the point.
  std::string describe(DirectionType directions) const;
};

/// The arithmetic of the evaluations.
struct Arithmetic {
  DType dtype = DType::f32;              ///< type of weights, values and sums: f32 or f64
  Precision precision = Precision::f32;  ///< precision of the products, in f32

  /// Returns "f64", "f32", "tf32", "bf16x3" or "bf16".
  std::string name() const;
  friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

struct SurfaceSettings {
  /// File of the surface, continued if it exists; empty: nothing is written.
  std::string output{};
  /// Axes of the grid; empty: those of the directions. A line has no y.
  std::optional<Axis> x{}, y{};
  /// Losses to compute; plots show the first.
  std::vector<Loss> losses{Loss()};
  /// Measures of the same outputs, planes of their own (SurfaceValues).
  std::vector<Loss> measures{};
  /// Standard error of the mean loss at which a point takes no more images; 0: all images.
  double target_se = 0;
  SurfaceBatchnorm batchnorm{};
  Arithmetic arithmetic{};
  double save_seconds = 5;  ///< shortest time between two saves of the file
  /// Forced implementations, {operation, name}, as in the thread pool.
  std::vector<std::pair<std::string, std::string>> forced{};
  std::string command{};  ///< command noted in the file; empty: none

  /// Returns the evaluations on planes through the model. Model, images and planes must outlive the
  /// spec.
  EvaluationSpec spec(const LoadedModel& model, const ImageSets& images,
                      std::span<const Directions> planes) const;
  /// Returns the quantities at a point; `seeds` are those of the planes, if there are several.
  SurfaceQuantities quantities(const ImageSets& images,
                               const std::vector<uint64_t>& seeds = {}) const;
  /// Sets all facts but the directions: model, images, population, loss, bn_mode, precision, target_se, device,
  /// version, command.
  void describe(Provenance& provenance, const LoadedModel& model, const ImageSets& images,
                DirectionType directions, Device device) const;
};

/// Throws Error if a grid on these axes, of which one may not be known yet, has more points than a
/// surface may have.
void check_size(const std::optional<Axis>& x, const std::optional<Axis>& y);

/// Throws Error if the settings contradict one another, or the device or the processor lacks the
/// arithmetic.
void check(const SurfaceSettings& settings, Device device);

}  // namespace topograd
