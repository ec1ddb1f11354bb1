// FunctionSurface: a surface of any function of named tensors, for what no graph describes: a module
// of PyTorch with any loss, a simulator. The function lives outside; its caller takes points, has
// theta there, calls the function and records what it returns:
//
//   FunctionSurface surface({.output = "surface.h5", .function = "my model, my loss"}, tensors,
//                           observer);
//   for (auto points = surface.next_points(1); !points.empty(); points = surface.next_points(1)) {
//     const std::vector<Tensor> theta = surface.theta_at(points[0]);
//     const double loss[] = {my_loss(theta)};
//     surface.record(points[0], loss);
//   }
//
// Order, file, continuing and provenance are those of every surface.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/core/output_claim.h"
#include "landscape/directions/grid.h"
#include "landscape/directions/named_tensors.h"
#include "landscape/evaluation/evaluation.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface.h"
#include "landscape/surface/surface_saver.h"

namespace topograd {

/// One axis of a function's surface: coordinates, and the direction along which they lie.
struct FunctionAxis {
  Axis points{};
  DirectionNorm norm = DirectionNorm::filter;  ///< of a random direction
  Ignore ignore = Ignore::biasbn;              ///< likewise
  TensorDirection given{};  ///< direction in place of a random one, a vector for each tensor
  std::string text{};       ///< what the given direction is: "towards the other network"
};

struct FunctionSurfaceSettings {
  /// File of the surface, continued if it exists; empty: it is in memory alone.
  std::string output{};
  FunctionAxis x{};
  std::optional<FunctionAxis> y = FunctionAxis{};  ///< nullopt: a line
  uint64_t seed = 1;  ///< of random directions, as landscape surface --seed
  int64_t seeds = 1;  ///< number of planes, one per seed from `seed` on, of which values are means
  std::string set = "train";  ///< what the values are of: "train" or "test"
  /// What the function returns, in this order: letters, digits and underscores. "loss" is among
  /// them; "acc" is an accuracy in percent; "loss_se" is the standard error of "loss".
  std::vector<std::string> quantities{"loss"};
  double save_seconds = 5;    ///< shortest time between two saves of the file
  std::string function{};     ///< text that identifies the function, on one line
  std::string name{};         ///< what to call it in titles; empty: "a function"
  std::string loss = "loss";  ///< what to call its loss: "cross_entropy", "energy"
  /// Further facts on which the values depend, by name: "data", "data_hash", "images", a hash of
  /// buffers. A file with others is another computation's.
  Provenance facts{};
  std::string command{};  ///< command noted in the file; empty: none
};

/// Members may be called by several threads at once. In a child of fork() only theta_at() and
/// position() may.
class FunctionSurface {
 public:
  /// Copies the tensors, makes the directions and, if there is an output, claims, continues or
  /// begins it; the observer is told what is continued, and not kept. Throws Error if the settings
  /// contradict one another or the tensors (NamedTensors), a direction is zero everywhere, the two are one, or
  /// the file is another computation's, or being written.
  FunctionSurface(const FunctionSurfaceSettings& settings, const std::vector<NamedTensor>& tensors,
                  Observer& observer);

  /// Returns up to `count` points that are to do, each point once, the grid's coarse points before
  /// the fine ones; none if all are done or were handed out.
  std::vector<int64_t> next_points(int64_t count);
  /// Returns a point's coordinates.
  PlanePosition position(int64_t point) const;
  /// Returns the number of planes on which a point is evaluated: the settings' seeds.
  int64_t planes() const { return static_cast<int64_t>(planes_.size()); }

  /// Returns the tensors at a point of one plane, in their types, as lists of values; undefined for
  /// those that do not move.
  std::vector<Tensor> theta_at(int64_t point, int64_t plane = 0) const;
  /// Writes them into memory of the caller's (NamedTensors::move).
  void theta_at(int64_t point, std::span<const Tensor> theta, int64_t plane = 0) const;

  /// Enters what the function returned at a point: for each plane its quantities. The file is
  /// written if it is time, and when the last point is done. Throws Error for another number of
  /// values or a point that is done, or if an earlier write failed.
  void record(int64_t point, std::span<const double> values);
  /// Writes the file and returns when it is written; without an output nothing.
  void save();

  /// Returns the surface so far.
  Surface surface() const;
  const NamedTensors& tensors() const { return tensors_; }
  const TensorDirection& x_direction(int64_t plane = 0) const { return of(plane).x; }
  /// Returns the direction of the second axis; null on a line.
  const TensorDirection* y_direction(int64_t plane = 0) const {
    return of(plane).y ? &*of(plane).y : nullptr;
  }

 private:
  struct Plane {
    TensorDirection x;
    std::optional<TensorDirection> y;
  };
  const Plane& of(int64_t plane) const;
  void make_planes();
  std::string plane_name(const std::string& quantity) const;
  void describe(Provenance& provenance) const;
  std::vector<std::string> identity() const;

  FunctionSurfaceSettings settings_;
  NamedTensors tensors_;
  std::vector<Plane> planes_;
  std::vector<uint64_t> seeds_;  // of the planes, if there are several

  mutable std::mutex mutex_;  // of all that follows
  Surface surface_;
  std::optional<OutputClaim> claim_;
  std::vector<int64_t> to_do_;
  size_t handed_out_ = 0;
  std::optional<SurfaceSaver> saver_;
};

}  // namespace topograd
