// Evaluator: losses at points of a plane through a network, theta + alpha * x + beta * y.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "landscape/direction_file.h"
#include "nn/device_evaluation.h"
#include "nn/inference.h"

namespace topograd {

/// Coordinates on the plane; beta is unused on a line.
struct PlanePosition {
  double alpha = 0;
  double beta = 0;
};

/// Evaluates points with independent threads over (point, chunk of images). Weights are formed in
/// double and rounded once; BatchNorm uses the running statistics, moved along the directions where
/// those have states. Chunk sums are added in a fixed order: a point's values are the same to the
/// bit for any number of threads, and whichever points are evaluated with it. Where the pool's
/// device is not the CPU, several points at a time run there, with the BatchNorm folded into the
/// weights: the same values within rounding, and likewise the same to the bit whatever is evaluated
/// with them.
class Evaluator {
 public:
  /// Everything handed in must outlive the evaluator. `sets` are evaluated in one pass, each with
  /// its own sums (training and test images, say).
  Evaluator(const Graph& graph, const Tensor& theta, const Tensor& states,
            const Directions& directions, std::span<const LabelledImages> sets, LossKind loss,
            ThreadPool& pool);

  /// sums[point][set].
  std::vector<std::vector<LossSums>> evaluate(std::span<const PlanePosition> points);

  /// How many points to hand to evaluate() at once so that no thread waits long for the others.
  int64_t points_per_call() const;
  /// Images of one point, over all sets.
  int64_t images_per_point() const;

 private:
  struct Worker {
    InferencePlan plan;
    Tensor theta, states;
    int64_t point = -1;  // whose weights are bound
  };
  struct Chunk {
    size_t set;
    int64_t begin, end;
  };
  Worker& worker_for(const PlanePosition& position, int64_t point, Context& context);
  std::vector<std::vector<LossSums>> evaluate_on_device(std::span<const PlanePosition> points);

  const Graph& graph_;
  const Tensor& theta_;
  const Tensor& states_;
  const Directions& directions_;
  std::span<const LabelledImages> sets_;
  LossKind loss_;
  ThreadPool& pool_;
  std::vector<Chunk> chunks_;
  std::vector<std::optional<Worker>> workers_;  // one per thread
  std::optional<DeviceEvaluation> on_device_;   // instead of them
};

}  // namespace topograd
