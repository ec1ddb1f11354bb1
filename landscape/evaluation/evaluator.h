// Evaluator: losses at points of planes through a network, theta + alpha * x + beta * y.
#pragma once

#include <memory>
#include <vector>

#include "landscape/evaluation/evaluation.h"
#include "landscape/evaluation/point_queue.h"
#include "landscape/evaluation/point_worker.h"
#include "nn/device_evaluation.h"

namespace topograd {

/// Evaluates points with independent threads over (point, chunk of images), see PointQueue. Weights
/// are formed in double and rounded once; BatchNorm uses the running statistics, moved along the
/// directions where those have states. Chunk sums are added in a fixed order: a point's values are
/// the same to the bit for any number of threads, and whichever points are evaluated with it. Where
/// the pool's device is not the CPU, several points at a time run there, with the BatchNorm folded
/// into the weights: the same values within rounding, and likewise the same to the bit whatever is
/// evaluated with them.
///
/// Where BatchNorm's statistics are each point's own (PointBatchnorm), the network runs as in
/// training, layer by layer, on any device; statistics that are recomputed belong to one thread,
/// which then evaluates all of that point's images.
class Evaluator {
 public:
  /// Everything the spec refers to, and the pool, must outlive the evaluator.
  Evaluator(const EvaluationSpec& spec, ThreadPool& pool);
  ~Evaluator();

  /// Evaluates all that the source has. False when the stop flag came first: what was unfinished
  /// then is dropped, and the sink never hears of it. Throws what went wrong in a worker, the
  /// source or the sink, once all threads have stopped.
  bool run(const TaskSource& source, const ResultSink& sink, const StopFlag& stop);

  /// All of these positions on the first plane: sums[point][set][loss].
  std::vector<PointSums> evaluate(std::span<const PlanePosition> points);

  /// Images of one point, over all sets.
  int64_t images_per_point() const;

 private:
  std::unique_ptr<PointWorker> make_worker();
  void work(PointQueue& queue, Context& context);
  bool run_on_device(const TaskSource& source, const ResultSink& sink, const StopFlag& stop);
  NetworkOnPlane network_on(size_t plane) const;
  /// Points of one plane.
  void evaluate_on_device(const std::vector<EvaluationTask>& tasks, const ResultSink& sink);
  /// Of points on the plane that the device is on.
  std::vector<PointSums> sums_on_device(std::span<const std::array<double, 2>> coefficients);
  /// Points to send to the device together.
  int64_t points_per_call() const;

  EvaluationSpec spec_;
  ThreadPool& pool_;
  ImageStages stages_;
  std::vector<std::unique_ptr<PointWorker>> workers_;  // one per thread, made by it
  std::unique_ptr<DeviceEvaluation> on_device_;        // instead of them
  size_t device_plane_ = 0;                            // that it is on
};

}  // namespace topograd
