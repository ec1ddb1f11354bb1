// PointWorker: one thread's network, moved from point to point.
#pragma once

#include <memory>

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// Where a worker stands. Positions are compared bit by bit: 0 and -0 are two.
struct BoundPosition {
  PlanePosition position;
  size_t plane;
  bool is(const PlanePosition& other, size_t its_plane) const;
};

/// Forms the weights of one point at a time and evaluates chunks of images with them. What runs the
/// network, and in which memory, is its own business alone.
class PointWorker {
 public:
  virtual ~PointWorker() = default;

  /// The weights of a position on a plane, from now on; cheap where they are those already.
  virtual void bind(const PlanePosition& position, size_t plane, Context& context) = 0;

  /// Sums over images [begin, end) of a set, one for each loss; end - begin <=
  /// kImagesPerEvaluation. They depend on the position and the range alone.
  virtual std::vector<LossSums> evaluate(size_t set, int64_t begin, int64_t end,
                                         Context& context) = 0;
};

/// For the CPU, BatchNorm on the statistics in the states. Everything the spec refers to must
/// outlive the worker.
std::unique_ptr<PointWorker> make_plan_worker(const EvaluationSpec& spec);

/// Where BatchNorm's statistics are those of each point. Runs on a thread of its own, the caller's;
/// or on a pool, of any device, that the caller is not inside.
std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec);
std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec, ThreadPool& pool);

/// The losses of some images' logits [n, classes], each kind's added up in the images' order. On
/// the CPU.
std::vector<LossSums> sums_of(const Tensor& logits, const Tensor& labels,
                              const std::vector<LossKind>& kinds, Context& context);

}  // namespace topograd
