// What decides the values of a surface besides the network, the images and the directions.
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

/// What BatchNorm normalises by at the points of a surface.
struct SurfaceBatchnorm {
  PointBatchnorm at_points = PointBatchnorm::given;
  int64_t batch = 128;  ///< images of a batch, unless the statistics are given

  /// Describes it for a file: "frozen", "statistics of batches of 128". `directions` says whether
  /// given statistics move with the point.
  std::string describe(DirectionType directions) const;
};

/// The arithmetic of the evaluations.
struct Arithmetic {
  DType dtype = DType::f32;              ///< of weights, values and sums: f32 or f64
  Precision precision = Precision::f32;  ///< of the products, in f32

  /// Returns "f64", "f32", "tf32", "bf16x3" or "bf16".
  std::string name() const;
  friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

struct SurfaceSettings {
  /// The surface's file, which is continued where it is there; empty: nothing is written.
  std::string output{};
  /// The points; empty: the axes that the directions ask for. A line has no y.
  std::optional<Axis> x{}, y{};
  /// Losses to compute; the first is the one that pictures show.
  std::vector<LossKind> losses{LossKind::cross_entropy};
  /// Above 0: a point takes no more images once the standard error of the mean loss is at most this.
  double target_se = 0;
  SurfaceBatchnorm batchnorm{};
  Arithmetic arithmetic{};
  double save_seconds = 5;  ///< between two savings of the file, at least
  /// Forced implementations, {operation, name}, as those of the thread pool.
  std::vector<std::pair<std::string, std::string>> forced{};
  std::string command{};  ///< what the file says it was made by; empty: nothing

  /// Returns the evaluations on planes through the model. Model, images and planes must outlive what
  /// uses them.
  EvaluationSpec spec(const LoadedModel& model, const ImageSets& images,
                      std::span<const Directions> planes) const;
  /// Returns what is measured at a point; `seeds` are those of the planes, where there are several.
  SurfaceQuantities quantities(const ImageSets& images,
                               const std::vector<uint64_t>& seeds = {}) const;
  /// Sets everything but the directions: model, images, loss, bn_mode, precision, target_se, device,
  /// version, command.
  void describe(Provenance& provenance, const LoadedModel& model, const ImageSets& images,
                DirectionType directions, Device device) const;
};

/// Throws Error where the settings contradict one another, or the device or the processor lacks the
/// arithmetic.
void check(const SurfaceSettings& settings, Device device);

}  // namespace topograd
