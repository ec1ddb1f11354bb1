// Trainer: stochastic gradient descent over labelled images, one step at a time.
#pragma once

#include "nn/batch_loader.h"
#include "nn/inference.h"
#include "nn/network.h"
#include "nn/schedule.h"

namespace topograd {

enum class OptimizerKind { sgd, adam };
OptimizerKind optimizer_named(const std::string& name);
std::string name_of(OptimizerKind kind);

/// Everything that decides a run's result, beside the model and the data.
struct TrainingConfig {
  int64_t epochs = 30;
  int64_t batch_size = 128;
  OptimizerKind optimizer = OptimizerKind::sgd;
  Schedule schedule;
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 5e-4;  ///< on every parameter, as the reference implementation
  bool augment = true;         ///< random crop with padding 4, horizontal flip
  bool flip = true;            ///< without: augment crops alone
  uint64_t seed = 1;
  LossKind loss = LossKind::cross_entropy;
};

/// Where a run stands: all that has to be saved to continue it to the same bits. There is no
/// generator state: random numbers are functions of the seed, the epoch and the image.
struct TrainingState {
  Tensor theta;  ///< this and the other tensors: on the device that trains
  Tensor states;
  Tensor momentum;              ///< SGD's velocity; Adam's first moment
  Tensor second_moment;         ///< Adam's; undefined for SGD
  int64_t epoch = 0;            ///< whole epochs done
  int64_t step = 0;             ///< steps done within the current epoch
  int64_t optimizer_steps = 0;  ///< steps done since the beginning
  LossSums epoch_sums;          ///< training loss and accuracy so far in this epoch
  double gradient_squares = 0;  ///< squared norms of this epoch's gradients, summed over its steps
};

class Trainer {
 public:
  /// A fresh run on the pool's device: weights initialised from the seed. Graph, images and pool
  /// must outlive it.
  Trainer(const Graph& graph, const TrainingConfig& config, const LabelledImages& images,
          ThreadPool& pool);

  int64_t steps_per_epoch() const;
  bool finished() const { return state_.epoch >= config_.epochs; }
  /// One optimizer step on the next batch. After an epoch's last step, state().step is 0 again and
  /// state().epoch has grown; state().epoch_sums keep that epoch's values until the next step.
  /// Throws Error when the loss or its gradient is not finite, leaving the state of the step
  /// before.
  void step();

  const TrainingState& state() const { return state_; }
  /// Continues a saved run, on a copy of its state, which may lie on any device. Throws Error where
  /// the sizes do not fit the graph, or the step is none of this epoch's.
  void restore(const TrainingState& state);
  double learning_rate() const;

 private:
  void update();

  TrainingConfig config_;
  ThreadPool& pool_;
  BatchLoader loader_;
  Network network_;
  TrainingState state_;
  Tensor next_states_;  // this step's running statistics, until it is known to be a good one
  Tensor gradient_;
};

/// Initial weights, as the reference implementation draws them: convolutions Kaiming normal (fan
/// in), linear layers N(0, 1e-3), biases 0, BatchNorm 1 and 0 with running statistics 0 and 1.
void initialise(const ParameterLayout& layout, uint64_t seed, const Tensor& theta,
                const Tensor& states);

}  // namespace topograd
