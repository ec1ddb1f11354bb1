// PointWorker: one thread's network, moved from point to point.
#pragma once

#include <memory>

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A position on a plane whose weights are formed. Positions are compared bitwise: 0 and -0
/// differ.
struct BoundPosition {
  PlanePosition position;
  size_t plane;
  bool is(const PlanePosition& other, size_t its_plane) const;
};

/// Forms the weights of one point at a time and evaluates chunks of images with them. The
/// implementation chooses what runs the network, and in which memory.
class PointWorker {
 public:
  virtual ~PointWorker() = default;

  /// Forms the weights of a position on a plane; does nothing if they are bound already.
  virtual void bind(const PlanePosition& position, size_t plane, Context& context) = 0;

  /// Returns the sums over images [begin, end) of a set, one per loss; end - begin <=
  /// kImagesPerEvaluation. They depend on the position and the range only.
  virtual std::vector<LossSums> evaluate(size_t set, int64_t begin, int64_t end,
                                         Context& context) = 0;
};

/// Makes a worker for the CPU that normalises by the statistics in the states. Everything the spec
/// refers to must outlive it.
std::unique_ptr<PointWorker> make_plan_worker(const EvaluationSpec& spec);

/// Makes a worker with each point's own BatchNorm statistics. It runs on the caller's thread; or on
/// `pool`, of any device, of which the caller must not be a thread. Everything the spec refers to
/// must outlive it.
std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec);
std::unique_ptr<PointWorker> make_network_worker(const EvaluationSpec& spec, ThreadPool& pool);

/// Returns the loss sums of logits [n, classes] and labels [n] on the CPU, one per loss, added in
/// the images' order.
std::vector<LossSums> sums_of(const Tensor& logits, const Tensor& labels,
                              const std::vector<Loss>& wanted, Context& context);

}  // namespace topograd
