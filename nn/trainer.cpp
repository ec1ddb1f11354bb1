#include "nn/trainer.h"

#include <algorithm>
#include <cmath>

#include "kernels/adam/adam.h"
#include "kernels/core/philox.h"
#include "kernels/random/random_normal.h"
#include "kernels/sgd/sgd.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

/// The images, if there are any: checked before a network is built for none.
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

void fill(const Tensor& t, float value) {
  std::fill_n(t.data<float>(), t.size(), value);
}

}  // namespace

OptimizerKind optimizer_named(const std::string& name) {
  if (name == "sgd") return OptimizerKind::sgd;
  if (name == "adam") return OptimizerKind::adam;
  fail("unknown optimizer '", name, "': choose sgd or adam");
}

std::string name_of(OptimizerKind kind) {
  return kind == OptimizerKind::sgd ? "sgd" : "adam";
}

void initialise(const ParameterLayout& layout, uint64_t seed, const Tensor& theta,
                const Tensor& states) {
  theta.fill_zero();  // biases and BatchNorm's shifts
  states.fill_zero();
  Context context;
  uint32_t number = 0;
  for (const ParameterEntry& entry : layout.parameters()) {
    const Tensor w = theta.slice(entry.offset, entry.shape);
    const Philox random(seed, RandomStream::initialisation, number++);
    if (entry.kind == ParameterKind::bn_scale) fill(w, 1);
    if (!entry.is_weight()) continue;
    const double deviation = entry.kind == ParameterKind::conv_weight
                                 ? std::sqrt(2.0 / static_cast<double>(entry.filter_size()))
                                 : 1e-3;
    random_normal({.y = w, .random = random, .scale = deviation}, context);
  }
  for (const ParameterEntry& entry : layout.states())
    if (entry.kind == ParameterKind::bn_variance) fill(states.slice(entry.offset, entry.shape), 1);
}

Trainer::Trainer(const Graph& graph, const TrainingConfig& config, const LabelledImages& images,
                 ThreadPool& pool)
    : config_(config),
      pool_(pool),
      loader_(not_empty(images), batch_plan(config), pool, prefetch_beside(pool)),
      network_(graph, std::min(config.batch_size, images.count()), pool,
               {.rounding = Rounding::relaxed}) {
  const Device device = pool.device();
  const ParameterLayout& layout = graph.layout();
  const Tensor theta({layout.parameter_count()}), states({layout.state_count()});
  initialise(layout, config.seed, theta, states);
  state_.theta = theta.to(device);
  state_.states = states.to(device);
  state_.momentum = Tensor::zeros(theta.shape(), DType::f32, device);
  if (config.optimizer == OptimizerKind::adam)
    state_.second_moment = Tensor::zeros(theta.shape(), DType::f32, device);
  next_states_ = Tensor(states.shape(), DType::f32, device);
  gradient_ = Tensor(theta.shape(), DType::f32, device);
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
  fits(state.states, state_.states, "BatchNorm statistics");
  fits(state.momentum, state_.momentum, "optimizer moments");
  fits(state.second_moment, state_.second_moment, "optimizer moments");
  require(state.step >= 0 && state.step < steps_per_epoch(), "the saved run stands at step ",
          state.step, " of an epoch, which has only ", steps_per_epoch(),
          " steps with these images and this batch size");
  const auto copy = [&](const Tensor& saved) {
    return saved.device() == pool_.device() && saved.defined() ? saved.clone()
                                                               : saved.to(pool_.device());
  };
  state_ = state;
  state_.theta = copy(state.theta);
  state_.states = copy(state.states);
  state_.momentum = copy(state.momentum);
  state_.second_moment = copy(state.second_moment);
}

void Trainer::update() {
  Context& context = pool_.main_context();
  if (config_.optimizer == OptimizerKind::sgd)
    sgd({.theta = state_.theta,
         .momentum_buffer = state_.momentum,
         .gradient = gradient_,
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
          .learning_rate = learning_rate(),
          .beta1 = 0.9,
          .beta2 = 0.999,
          .epsilon = 1e-8,
          .weight_decay = config_.weight_decay,
          .decoupled = false,
          .step = state_.optimizer_steps + 1},
         context);
}

void Trainer::step() {
  require(!finished(), "this run has finished its ", config_.epochs, " epochs");
  const MiniBatch batch = loader_.batch(state_.epoch, state_.step);
  const int64_t count = batch.count();
  next_states_.copy_from(state_.states);  // they move before the loss is known
  const BatchResult result =
      network_.loss_and_gradient(gradient_, batch.images, batch.labels, state_.theta, next_states_,
                                 BatchnormMode::batch, config_.loss);
  const double gradient_norm = norm(gradient_, pool_.main_context());
  const auto require_finite = [&](const char* what, double value) {
    require(std::isfinite(value), "training diverged: ", what, " is ",
            std::isnan(value) ? "not a number" : "infinite", " in epoch ", state_.epoch + 1,
            ", step ", state_.step + 1, "; try a smaller learning rate");
  };
  require_finite("the loss", result.loss);
  require_finite("the gradient's norm", gradient_norm);
  update();
  state_.states.copy_from(next_states_);
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
  }
}

}  // namespace topograd
