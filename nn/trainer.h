// Trainer: stochastic gradient descent over labelled images, one step at a time.
#pragma once

#include "nn/batch_loader.h"
#include "nn/inference.h"
#include "nn/initialisation.h"
#include "nn/network.h"
#include "nn/schedule.h"

namespace topograd {

/// Optimizer: SGD (kernels/sgd/sgd.h), or Adam (kernels/adam/adam.h) with the weight decay in the
/// gradient (adam) or apart from it (adamw).
enum class OptimizerKind { sgd, adam, adamw };
OptimizerKind optimizer_named(const std::string& name);
std::string name_of(OptimizerKind kind);

/// Parameters that weight decay applies to.
enum class DecayScope {
  all,      ///< every parameter, as in the landscape paper's code
  weights,  ///< convolutions' and linear layers'; neither biases nor normalisations' parameters
};
DecayScope decay_scope_named(const std::string& name);
std::string name_of(DecayScope scope);

/// All settings that decide a run's result, beside the model and the data.
struct TrainingConfig {
  int64_t epochs = 30;
  int64_t batch_size = 128;
  OptimizerKind optimizer = OptimizerKind::sgd;
  Schedule schedule;
  double momentum = 0.9;  ///< sgd
  bool nesterov = true;   ///< sgd
  double beta1 = 0.9;     ///< adam and adamw, as the next two
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 5e-4;
  DecayScope decay_scope = DecayScope::all;
  bool augment = true;  ///< random crop with padding 4, horizontal flip
  bool flip = true;     ///< false: augment crops alone
  uint64_t seed = 1;
  Precision precision = Precision::f32;  ///< products' operands'; weights and sums are f32
  Loss loss{};
  Initialisation initialisation = Initialisation::kaiming_fan_in;
  double ema_decay = 0;  ///< decay of the weights' exponential moving average; 0: none is kept
  /// The first epoch whose last weights go into the SWA average; 0: none. SWA's paper keeps the
  /// rate constant or cyclical from there on; that is the schedule's affair.
  int64_t swa_start = 0;
};

/// The state of a run: all that has to be saved to continue it to the same bits, with its tensors
/// on the device that trains. There is no generator state: random numbers are functions of the
/// seed, the epoch and the image.
struct TrainingState : ModelState {
  Tensor momentum;              ///< SGD's velocity; Adam's first moment
  Tensor second_moment;         ///< Adam's; undefined for SGD
  Tensor ema_theta;             ///< moving averages (nn/weight_average.h); undefined without
  Tensor ema_states;            ///< moving average of the running statistics
  Tensor swa_theta;             ///< the mean of the weights at epochs' ends; undefined without
  int64_t swa_count = 0;        ///< number of epochs in swa_theta
  int64_t epoch = 0;            ///< whole epochs done
  int64_t step = 0;             ///< steps done within the current epoch
  int64_t optimizer_steps = 0;  ///< steps done since the beginning
  LossSums epoch_sums;          ///< training loss and accuracy so far in this epoch
  double gradient_squares = 0;  ///< squared norms of this epoch's gradients, summed over its steps
};

class Trainer {
 public:
  /// Begins a run on the pool's device: weights initialised from the seed. Graph, images and pool
  /// must outlive the trainer.
  Trainer(const Graph& graph, const TrainingConfig& config, const LabelledImages& images,
          ThreadPool& pool);

  int64_t steps_per_epoch() const;
  bool finished() const { return state_.epoch >= config_.epochs; }
  /// Takes one optimizer step on the next batch. After an epoch's last step, state().step is 0
  /// again and state().epoch has grown; state().epoch_sums keep that epoch's values until the next
  /// step. Throws Error when the loss or its gradient is not finite, leaving the state of the step
  /// before.
  void step();

  const TrainingState& state() const { return state_; }
  /// Continues a saved run, on a copy of its state, which may lie on any device. Throws Error where
  /// the sizes do not fit the graph, or the step is none of this epoch's.
  void restore(const TrainingState& state);
  double learning_rate() const;
  /// Computes BatchNorm's statistics for state().swa_theta, by one pass over the images without
  /// augmentation. Throws Error before the first epoch that is averaged has ended.
  Tensor swa_states();

 private:
  void update();
  void average_step();
  void average_epoch();

  TrainingConfig config_;
  const LabelledImages& images_;
  ThreadPool& pool_;
  BatchLoader loader_;
  Network network_;
  bool records_;         // nothing in a step's loss and gradient changes but its operands' values
  Recording recording_;  // of them, for batches of full size
  TrainingState state_;
  Tensor next_running_stats_;  // this step's running statistics, until it is known to be a good one
  Tensor gradient_;
  Tensor gradient_square_;  // f64 [1]: the gradient's squared norm
  Tensor decay_mask_;       // undefined where everything decays
};

}  // namespace topograd
