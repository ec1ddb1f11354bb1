// Computes a surface: the loss at the points of a grid on a plane through a network.
//
//   const LoadedModel model = load_model("model.safetensors");
//   const ImageSets images = select_images({.source = "cifar10", .count = 1000}, model);
//   const SurfaceDirections directions = random_directions({.seed = 1}, model);
//   ThreadPool pool;
//   Observer observer;
//   const Surface surface = compute_surface({.x = Axis{-1, 1, 51}, .y = Axis{-1, 1, 51}}, model,
//                                           images, directions, pool, observer);
//   surface.save("surface.h5");
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "kernels/core/output_claim.h"
#include "landscape/directions/surface_directions.h"
#include "landscape/distributed/shared_evaluation.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface_settings.h"

namespace topograd {

/// Returns a point of a surface's grid with its position.
GridPoint grid_point(const Surface& surface, int64_t point);

/// Computes a surface in this process. If settings.output names a file, continues it, and saves it
/// while points are computed and at the end. Throws Error if the settings contradict one another,
/// or the file is another computation's; Interrupted if the observer asks to stop: finished points
/// are then in the file.
Surface compute_surface(const SurfaceSettings& settings, const LoadedModel& model,
                        const ImageSets& images, const SurfaceDirections& directions,
                        ThreadPool& pool, Observer& observer);

/// The steps of compute_surface(), by all processes of a group: each has the same inputs, and calls
/// begin() and run() with the others. Rank zero has the file and the whole surface.
class SurfaceComputation {
 public:
  /// Keeps references: everything passed must outlive the computation.
  SurfaceComputation(const SurfaceSettings& settings, const LoadedModel& model,
                     const ImageSets& images, const SurfaceDirections& directions, ThreadPool& pool,
                     Observer& observer, ProcessGroup& group);

  /// Returns the points that begin() would find to do in the output file. Throws Error as it does,
  /// and writes nothing.
  int64_t points_to_do() const;
  /// Prepares the evaluation, and continues or writes the output file. Throws Error on all ranks if
  /// the inputs of one differ from rank zero's (files may lie on several machines), or the file is
  /// another computation's.
  void begin();
  /// Computes the points to do; then, with other arithmetic than f32, a sample of points again in
  /// f32; then the barrier on a line between two networks. Throws Interrupted on rank zero if the
  /// observer asks to stop; the other ranks return.
  void run();

  /// Returns the surface so far; it has values on rank zero only.
  const Surface& surface() const { return surface_; }
  /// Returns the name of the main plane: the first set's first loss.
  std::string main_plane() const { return values_.main_plane(); }
  /// Returns the throughput of run(); 0 if nothing was to do.
  double images_per_second() const { return images_per_second_; }

 private:
  void require_same_inputs() const;
  void note_activation() const;
  bool stop_requested();
  void save() const;
  std::vector<GridPoint> points_left() const;
  void compute_points();
  void check_arithmetic();
  void find_barriers();

  const SurfaceSettings& settings_;
  const LoadedModel& model_;
  const ImageSets& images_;
  const SurfaceDirections& directions_;
  ThreadPool& pool_;
  Observer& observer_;
  ProcessGroup& group_;
  SurfaceValues values_;
  Surface surface_;
  std::optional<OutputClaim> claim_;  // of the file, on rank zero
  std::optional<Evaluator> evaluator_;
  std::mutex observer_mutex_;  // some threads ask whether to stop while others report progress
  double images_per_second_ = 0;
};

}  // namespace topograd
