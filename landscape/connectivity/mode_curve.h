// A curve of low loss between two networks. T. Garipov, P. Izmailov, D. Podoprikhin, D. Vetrov,
// A. Wilson, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs", NeurIPS 2018.
#pragma once

#include "landscape/directions/direction_file.h"
#include "landscape/evaluation/evaluation.h"
#include "nn/trainer.h"

namespace topograd {

/// The quadratic Bezier curve phi(t) = (1 - t)^2 a + 2 t (1 - t) c + t^2 b, t from 0 to 1. It lies
/// in the plane through a, b and c.
struct ModeCurve {
  Tensor a, b;     ///< theta of the two networks
  Tensor control;  ///< c; all on one device

  /// Sets theta = phi(t), rounded twice; the bits of the ends are those of a and b.
  void at(double t, const Tensor& theta, Context& context) const;
};

/// Returns the plane through a, b and c: a + alpha (c - a) + beta (b - a).
Directions curve_plane(const ModeCurve& curve);
/// Returns phi(t) as a position on that plane.
PlanePosition curve_position(double t);

struct CurveConfig {
  int64_t epochs = 30;
  int64_t batch_size = 128;
  Schedule schedule{.kind = ScheduleKind::cosine, .base = 0.03};
  double momentum = 0.9;
  /// Decay of the network at phi(t), as in the paper's code: the loss has weight_decay / 2
  /// |phi(t)|^2.
  double weight_decay = 5e-4;
  bool augment = true;
  bool flip = true;
  uint64_t seed = 1;
  Loss loss{};
};

/// Trains the control point: every step descends along the gradient of one batch's loss at phi(t)
/// with t uniform in [0, 1], which depends on the seed and the step alone. BatchNorm normalises by
/// the batch. The control point begins midway between a and b.
class CurveTrainer {
 public:
  /// Graph, images and pool must outlive it.
  CurveTrainer(const Graph& graph, const Tensor& a, const Tensor& b, const CurveConfig& config,
               const LabelledImages& images, ThreadPool& pool);

  int64_t steps_per_epoch() const { return loader_.steps_per_epoch(); }
  bool finished() const { return state_.epoch >= config_.epochs; }
  /// Throws Error when the loss or its gradient is not finite, leaving the state of the step
  /// before.
  void step();

  /// Returns the state, whose theta is the control point; its running statistics are zeros: every
  /// point of a curve has its own.
  const TrainingState& state() const { return state_; }
  /// Continues from a saved state, on a copy of it. Throws Error where it does not fit.
  void restore(const TrainingState& state);
  ModeCurve curve() const { return {a_, b_, state_.theta}; }

  /// Returns t of a step, counted from the beginning.
  double t_of_step(int64_t step) const;
  /// Sets gradient = d(mean loss of the batch at phi(t) + its decay) / dc; returns the loss.
  double loss_and_gradient(const Tensor& gradient, const MiniBatch& batch, double t);

 private:
  CurveConfig config_;
  ThreadPool& pool_;
  BatchLoader loader_;
  Network network_;
  Tensor a_, b_;
  TrainingState state_;
  Tensor theta_, gradient_, statistics_;
};

}  // namespace topograd
