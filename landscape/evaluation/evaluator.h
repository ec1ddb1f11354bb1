// Evaluator: computes losses at points of planes through a network, theta + alpha * x + beta * y.
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
/// directions if those have states. Chunk sums are added in a fixed order: a point's values are
/// bitwise the same for any number of threads, whichever points are evaluated with it. A pool on
/// another device than the CPU evaluates several points at a time there, with BatchNorm folded into
/// the weights: the same values within rounding, and bitwise the same whichever points are
/// evaluated together.
///
/// If each point has its own BatchNorm statistics (PointBatchnorm), the network runs as in
/// training, layer by layer, on any device; recomputed statistics belong to one thread, which
/// evaluates all images of that point.
class Evaluator {
 public:
  /// Everything the spec refers to, and the pool, must outlive the evaluator.
  Evaluator(const EvaluationSpec& spec, ThreadPool& pool);
  ~Evaluator();

  /// Evaluates all tasks of the source. Returns false if the stop flag was set first: unfinished
  /// tasks are dropped and never reach the sink. Rethrows an exception of a worker, the source or
  /// the sink once all threads have stopped.
  bool run(const TaskSource& source, const ResultSink& sink, const StopFlag& stop);

  /// Returns the sums at these positions on the first plane, [point][set][loss].
  std::vector<PointSums> evaluate(std::span<const PlanePosition> points);

  /// Returns the number of images in all sets.
  int64_t images_per_point() const;

 private:
  std::unique_ptr<PointWorker> make_worker();
  void work(PointQueue& queue, Context& context);
  bool run_on_device(const TaskSource& source, const ResultSink& sink, const StopFlag& stop);
  NetworkOnPlane network_on(size_t plane) const;
  /// Evaluates tasks of one plane and hands them to the sink.
  void evaluate_on_device(const std::vector<EvaluationTask>& tasks, const ResultSink& sink);
  /// Returns the sums at points {alpha, beta} of the plane device_plane_.
  std::vector<PointSums> sums_on_device(std::span<const std::array<double, 2>> coefficients);
  /// Returns the number of points to send to the device together.
  int64_t points_per_call() const;

  EvaluationSpec spec_;
  ThreadPool& pool_;
  ImageStages stages_;
  std::vector<std::unique_ptr<PointWorker>> workers_;  // one per thread, made by that thread
  std::unique_ptr<DeviceEvaluation> on_device_;        // used instead of workers_
  size_t device_plane_ = 0;                            // the plane on_device_ is on
};

}  // namespace topograd
