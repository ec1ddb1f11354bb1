#include "nn/trainer.h"

#include <algorithm>
#include <cmath>

#include "kernels/adam/adam.h"
#include "kernels/core/philox.h"
#include "kernels/sgd/sgd.h"
#include "kernels/vector/vector.h"
#include "nn/weight_average.h"

namespace topograd {

namespace {

/// Checks that there are images, before a network is built for none.
const LabelledImages& not_empty(const LabelledImages& images) {
  require(images.count() > 0, "no images to train on");
  return images;
}

BatchPlan batch_plan(const TrainingConfig& config) {
  return {.batch_size = config.batch_size,
          .augment = config.augment,
          .flip = config.flip,
          .seed = config.seed};
}

/// Whether a step draws random numbers, which a recording would repeat.
bool has_dropout(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return node.layer && node.layer->kind() == "dropout";
  });
}

/// A vector like theta: 1 where a parameter decays, 0 where it does not.
Tensor decay_mask_of(const ParameterLayout& layout) {
  const Tensor mask = Tensor::zeros({layout.parameter_count()});
  for (const ParameterEntry& entry : layout.parameters())
    if (entry.is_weight()) std::fill_n(mask.data<float>() + entry.offset, entry.size(), 1.0F);
  return mask;
}

/// Copies in the order of the context's other operations, which does not wait for a device.
void copy_in_order(const Tensor& target, const Tensor& source, Context& context) {
  if (context.device() == Device::cpu)
    target.copy_from(source);
  else
    copy({.y = target, .x = source}, context);
}

}  // namespace

OptimizerKind optimizer_named(const std::string& name) {
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw})
    if (name == name_of(kind)) return kind;
  fail("unknown optimizer '", name, "': choose sgd, adam or adamw");
}

std::string name_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd:
      return "sgd";
    case OptimizerKind::adam:
      return "adam";
    case OptimizerKind::adamw:
      return "adamw";
  }
  return "?";
}

DecayScope decay_scope_named(const std::string& name) {
  for (DecayScope scope : {DecayScope::all, DecayScope::weights})
    if (name == name_of(scope)) return scope;
  fail("unknown scope of weight decay '", name, "': choose all or weights");
}

std::string name_of(DecayScope scope) {
  return scope == DecayScope::all ? "all" : "weights";
}

Trainer::Trainer(const Graph& graph, const TrainingConfig& config, const LabelledImages& images,
                 ThreadPool& pool)
    : config_(config),
      images_(not_empty(images)),
      pool_(pool),
      loader_(images, batch_plan(config), pool, prefetch_beside(pool)),
      network_(graph, std::min(config.batch_size, images.count()), pool,
               {.error_budget = ErrorBudget::relaxed, .precision = config.precision}),
      records_(!has_dropout(graph)) {
  config_.loss = config.loss.to(pool.device());
  config_.schedule.steps_per_epoch = static_cast<double>(steps_per_epoch());
  const Device device = pool.device();
  const ParameterLayout& layout = graph.layout();
  const Tensor theta({layout.parameter_count()}), running_stats({layout.state_count()});
  initialise(layout, config.seed, theta, running_stats, config.initialisation);
  state_.theta = theta.to(device);
  state_.running_stats = running_stats.to(device);
  state_.momentum = Tensor::zeros(theta.shape(), DType::f32, device);
  if (config.optimizer != OptimizerKind::sgd)
    state_.second_moment = Tensor::zeros(theta.shape(), DType::f32, device);
  if (config.ema_decay > 0) {
    state_.ema_theta = Tensor::zeros(theta.shape(), DType::f32, device);
    state_.ema_states = Tensor::zeros(running_stats.shape(), DType::f32, device);
  }
  if (config.swa_start > 0) state_.swa_theta = Tensor::zeros(theta.shape(), DType::f32, device);
  if (config.decay_scope == DecayScope::weights) decay_mask_ = decay_mask_of(layout).to(device);
  next_running_stats_ = Tensor(running_stats.shape(), DType::f32, device);
  gradient_ = Tensor(theta.shape(), DType::f32, device);
  gradient_square_ = Tensor({1}, DType::f64, device);
}

int64_t Trainer::steps_per_epoch() const {
  return loader_.steps_per_epoch();
}

double Trainer::learning_rate() const {
  return config_.schedule.rate(static_cast<double>(state_.epoch) +
                               static_cast<double>(state_.step) /
                                   static_cast<double>(steps_per_epoch()));
}

void Trainer::restore(const TrainingState& state) {
  const auto fits = [](const Tensor& saved, const Tensor& ours, const char* what) {
    require(saved.defined() == ours.defined() && (!ours.defined() || saved.size() == ours.size()),
            "the saved run's ", what, " do not fit this model and optimizer");
  };
  fits(state.theta, state_.theta, "weights");
  fits(state.running_stats, state_.running_stats, "BatchNorm statistics");
  fits(state.momentum, state_.momentum, "optimizer moments");
  fits(state.second_moment, state_.second_moment, "optimizer moments");
  fits(state.ema_theta, state_.ema_theta, "averaged weights");
  fits(state.ema_states, state_.ema_states, "averaged BatchNorm statistics");
  fits(state.swa_theta, state_.swa_theta, "averaged weights");
  require(state.step >= 0 && state.step < steps_per_epoch(), "the saved run stands at step ",
          state.step, " of an epoch, which has only ", steps_per_epoch(),
          " steps with these images and this batch size");
  const auto copy = [&](const Tensor& saved) {
    return saved.device() == pool_.device() && saved.defined() ? saved.clone()
                                                               : saved.to(pool_.device());
  };
  recording_ = {};  // of the tensors that are replaced
  state_ = state;
  state_.theta = copy(state.theta);
  state_.running_stats = copy(state.running_stats);
  state_.momentum = copy(state.momentum);
  state_.second_moment = copy(state.second_moment);
  state_.ema_theta = copy(state.ema_theta);
  state_.ema_states = copy(state.ema_states);
  state_.swa_theta = copy(state.swa_theta);
}

void Trainer::update() {
  Context& context = pool_.main_context();
  if (config_.optimizer == OptimizerKind::sgd)
    sgd({.theta = state_.theta,
         .momentum_buffer = state_.momentum,
         .gradient = gradient_,
         .decay_mask = decay_mask_,
         .learning_rate = learning_rate(),
         .momentum = config_.momentum,
         .weight_decay = config_.weight_decay,
         .nesterov = config_.nesterov,
         .first_step = state_.optimizer_steps == 0},
        context);
  else
    adam({.theta = state_.theta,
          .m = state_.momentum,
          .v = state_.second_moment,
          .gradient = gradient_,
          .decay_mask = decay_mask_,
          .learning_rate = learning_rate(),
          .beta1 = config_.beta1,
          .beta2 = config_.beta2,
          .epsilon = config_.epsilon,
          .weight_decay = config_.weight_decay,
          .decoupled = config_.optimizer == OptimizerKind::adamw,
          .step = state_.optimizer_steps + 1},
         context);
}

void Trainer::average_step() {
  if (!state_.ema_theta.defined()) return;
  const double weight = state_.optimizer_steps == 0 ? 1 : 1 - config_.ema_decay;
  Context& context = pool_.main_context();
  move_average(state_.ema_theta, state_.theta, weight, context);
  move_average(state_.ema_states, state_.running_stats, weight, context);
}

void Trainer::average_epoch() {
  if (!state_.swa_theta.defined() || state_.epoch < config_.swa_start) return;
  ++state_.swa_count;
  move_average(state_.swa_theta, state_.theta, 1 / static_cast<double>(state_.swa_count),
               pool_.main_context());
}

Tensor Trainer::swa_states() {
  require(state_.swa_count > 0, "no epoch's weights have been averaged yet");
  // The images as they are, in the order of the epoch that would come next.
  BatchLoader batches(
      images_, {.batch_size = config_.batch_size, .augment = false, .seed = config_.seed}, pool_);
  return recomputed_statistics(network_, state_.swa_theta, batches, config_.epochs, pool_);
}

void Trainer::step() {
  require(!finished(), "this run has finished its ", config_.epochs, " epochs");
  const MiniBatch batch = loader_.batch(state_.epoch, state_.step);
  const int64_t count = batch.count();
  // They move before the loss is known.
  copy_in_order(next_running_stats_, state_.running_stats, pool_.main_context());
  const BatchResult result = network_.loss_and_gradient(
      gradient_, batch.images, batch.labels, state_.theta, next_running_stats_,
      BatchnormMode::batch, config_.loss, /*keep_running_stats=*/false,
      StepNoise{config_.seed, state_.optimizer_steps},
      records_ && count == loader_.largest_batch() ? &recording_ : nullptr);
  dot({.result = gradient_square_, .a = gradient_, .b = gradient_}, pool_.main_context());
  const double gradient_norm = std::sqrt(gradient_square_.to(Device::cpu).data<double>()[0]);
  const auto require_finite = [&](const char* what, double value) {
    require(std::isfinite(value), "training diverged: ", what, " is ",
            std::isnan(value) ? "not a number" : "infinite", " in epoch ", state_.epoch + 1,
            ", step ", state_.step + 1, "; try a smaller learning rate");
  };
  require_finite("the loss", result.loss);
  require_finite("the gradient's norm", gradient_norm);
  update();
  copy_in_order(state_.running_stats, next_running_stats_, pool_.main_context());
  average_step();
  if (state_.step == 0) {
    state_.epoch_sums = {};
    state_.gradient_squares = 0;
  }
  state_.gradient_squares += gradient_norm * gradient_norm;
  state_.epoch_sums.loss += result.loss * static_cast<double>(count);
  state_.epoch_sums.correct += result.correct;
  state_.epoch_sums.count += count;
  ++state_.optimizer_steps;
  if (++state_.step == steps_per_epoch()) {
    state_.step = 0;
    ++state_.epoch;
    average_epoch();
  }
}

}  // namespace topograd
